/** The `tessera` command. Connection parameters come from the usual PG* variables or from --dsn. */
import pg from 'pg';
import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { convertChunks, formatProgress, type Conversion } from './convert-chunks.ts';
import { copyRows, CopyFailed, formatCopy } from './copy-rows.ts';
import { deliverTelemetry } from './deliver-telemetry.ts';
import { formatRefresh, refreshAggregate } from './refresh-aggregate.ts';
import { startWorker } from './worker.ts';

interface Command {
  readonly usage: string;
  readonly run: (args: readonly string[]) => Promise<void>;
}

const theOnly = (what: string, given: readonly string[]): string => {
  const [one, ...more] = given;
  if (one === undefined || more.length > 0) throw new Error(`give one ${what}`);
  return one;
};

/** Without one the usual PG* variables say where the server is. */
const addressOf = (dsn: string | undefined): pg.ClientConfig => (dsn === undefined ? {} : { connectionString: dsn });

const say = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);

const signalled = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });

const worker: Command = {
  usage: 'worker [--dsn postgres://...] [--database NAME]   run jobs and tasks where pg_cron is missing',
  run: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: { dsn: { type: 'string' }, database: { type: 'string' } },
    });
    const connection = addressOf(values.dsn);
    // Every session is one of another database or role, so the address is taken apart once.
    const address = new pg.Client(connection);
    const running = startWorker({
      connection: {
        host: address.host,
        port: address.port,
        ...(address.user === undefined ? {} : { user: address.user }),
        ...(typeof address.password === 'string' ? { password: address.password } : {}),
        database: address.database ?? 'postgres',
        ssl: address.ssl,
      },
      ...(values.database === undefined ? {} : { database: values.database }),
      log: say,
    });
    await signalled();
    say('stopping');
    await running.stop();
  },
};

const deliver: Command = {
  usage: 'deliver-telemetry [--dsn postgres://...]          send stored reports to the setting telemetry_endpoint',
  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { dsn: { type: 'string' } } });
    const client = new pg.Client(addressOf(values.dsn));
    await client.connect();
    try {
      const { delivered, problem } = await deliverTelemetry({ client, log: say });
      say(`${delivered} reports delivered`);
      if (problem !== undefined) throw new Error(problem);
    } finally {
      await client.end();
    }
  },
};

/** On a terminal one line that is written over, elsewhere a line for each chunk. */
const convert = (action: Conversion['action'], about: string): Command => ({
  usage: `${action} HYPERTABLE [--older-than '7 days'] [--dsn postgres://...]   ${about}`,
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { dsn: { type: 'string' }, 'older-than': { type: 'string' } },
    });
    const hypertable = theOnly('hypertable', positionals);
    const client = new pg.Client(addressOf(values.dsn));
    await client.connect();
    const began = Date.now();
    const end = process.stderr.isTTY ? '\r' : '\n';
    try {
      const { failed } = await convertChunks({
        client,
        hypertable,
        action,
        olderThan: values['older-than'],
        progress: (p) => void process.stderr.write(`${formatProgress(p, Date.now() - began).padEnd(100)}${end}`),
      });
      if (process.stderr.isTTY) process.stderr.write('\n');
      for (const { chunk, message } of failed) process.stderr.write(`${chunk}: ${message}\n`);
      if (failed.length > 0) throw new Error(`${failed.length} chunks failed`);
    } finally {
      await client.end();
    }
  },
});

const refresh: Command = {
  usage:
    'refresh VIEW [--from T] [--to T] [--force] [--buckets N] [--dsn postgres://...]   bring a continuous aggregate up to date',
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        dsn: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        force: { type: 'boolean' },
        buckets: { type: 'string' },
      },
    });
    const view = theOnly('continuous aggregate', positionals);
    const connect = async (): Promise<pg.Client> => {
      const client = new pg.Client(addressOf(values.dsn));
      await client.connect();
      return client;
    };
    const [client, watcher] = [await connect(), await connect()];
    client.on('notice', (n) => void process.stderr.write(`${n.message ?? ''}\n`));
    const began = Date.now();
    const end = process.stderr.isTTY ? '\r' : '\n';
    try {
      await refreshAggregate({
        client,
        watcher,
        view,
        from: values.from,
        to: values.to,
        force: values.force === true,
        bucketsPerBatch: values.buckets === undefined ? undefined : Number(values.buckets),
        progress: (p) => void process.stderr.write(`${formatRefresh(p, Date.now() - began).padEnd(80)}${end}`),
      });
      if (process.stderr.isTTY) process.stderr.write('\n');
    } finally {
      await client.end();
      await watcher.end();
    }
  },
};

const wholeNumber = (option: string, text: string | undefined, usual: number, least = 1): number => {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`--${option} takes a whole number`);
  return value;
};

const copy: Command = {
  usage:
    'copy HYPERTABLE [--file F] [--columns a,b] [--format csv|text] [--header] [--delimiter D] [--null N] [--batch-rows N] [--workers N] [--skip N] [--dsn postgres://...]   load rows from a file or stdin, in batches that commit',
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        dsn: { type: 'string' },
        file: { type: 'string' },
        columns: { type: 'string' },
        format: { type: 'string', default: 'csv' },
        header: { type: 'boolean', default: false },
        delimiter: { type: 'string' },
        null: { type: 'string' },
        'batch-rows': { type: 'string' },
        workers: { type: 'string' },
        skip: { type: 'string' },
      },
    });
    const table = theOnly('hypertable', positionals);
    if (values.format !== 'csv' && values.format !== 'text') throw new Error('--format takes csv or text');
    const header = values.header ? 1 : 0;
    const workers = wholeNumber('workers', values.workers, 1);
    const clients: pg.Client[] = [];
    const began = Date.now();
    const end = process.stderr.isTTY ? '\r' : '\n';
    try {
      for (let i = 0; i < workers; i++) {
        const client = new pg.Client(addressOf(values.dsn));
        await client.connect();
        clients.push(client);
      }
      await copyRows({
        clients,
        source: values.file === undefined ? process.stdin : createReadStream(values.file, { highWaterMark: 1 << 20 }),
        table,
        columns: values.columns === undefined ? null : values.columns.split(','),
        format: {
          csv: values.format === 'csv',
          skip: header + wholeNumber('skip', values.skip, 0, 0),
          batchRows: wholeNumber('batch-rows', values['batch-rows'], 10_000),
        },
        delimiter: values.delimiter,
        nullText: values.null,
        progress: (p) => void process.stderr.write(`${formatCopy(p, Date.now() - began).padEnd(80)}${end}`),
      });
    } catch (e) {
      if (!(e instanceof CopyFailed)) throw e;
      throw new Error(`${e.message}; all before are: go on with --skip ${e.skip - header}`);
    } finally {
      if (process.stderr.isTTY) process.stderr.write('\n');
      await Promise.all(clients.map((c) => c.end()));
    }
  },
};

const commands: Readonly<Record<string, Command>> = {
  worker,
  'deliver-telemetry': deliver,
  compress: convert('compress', 'compress its chunks, one transaction each'),
  decompress: convert('decompress', 'and back'),
  refresh,
  copy,
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  process.stderr.write(
    `usage: tessera COMMAND\n${Object.values(commands)
      .map((c) => `  ${c.usage}\n`)
      .join('')}`,
  );
  process.exit(name === '' || name === '--help' ? 0 : 2);
}
try {
  await command.run(args);
} catch (e) {
  process.stderr.write(`tessera ${name}: ${(e as Error).message}\n`);
  process.exit(1);
}
