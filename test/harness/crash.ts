import { existsSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { onData, privateNode, removeNode, start, stop, type Node, type StopMode } from '../../server/cluster.ts';
import { waitUntil } from './wait-until.ts';

/** Kills one process of a server with a real signal. */
const kill = (pid: number, signal: NodeJS.Signals): void => {
  const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  if (name !== 'postgres') throw new Error(`process ${pid} is "${name}", not a PostgreSQL backend`);
  process.kill(pid, signal);
};

/** A server of its own, which a test may kill and restart without disturbing others. */
export class PrivateServer {
  readonly node: Node;

  private constructor(node: Node) {
    this.node = node;
  }

  static async create(name: string): Promise<PrivateServer> {
    return new PrivateServer(await privateNode(name));
  }

  async connect(database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.node.port, user: 'postgres', database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /**
   * Kills a backend. The postmaster then ends every other session and recovers; this returns when a witness session has
   * ended and the server accepts connections again.
   */
  async killBackend(pid: number): Promise<void> {
    const witness = await this.connect();
    const ended = new Promise<void>((resolve) => witness.once('end', () => resolve()));
    kill(pid, 'SIGKILL');
    await ended;
    await this.ready();
  }

  /** Waits for the end of crash recovery. */
  async ready(): Promise<void> {
    await waitUntil('the server accepts connections', async () => {
      try {
        const client = await this.connect();
        await client.query('select 1');
        await client.end();
        return true;
      } catch {
        return false;
      }
    });
  }

  restartImmediately(): void {
    this.stop('immediate');
    this.start();
  }

  stop(mode: StopMode): void {
    stop(this.node, mode);
  }

  start(): void {
    start(this.node);
  }

  /** Stops all its processes, so that it goes on accepting connections and answers none; the function has them go on. */
  async freeze(): Promise<() => void> {
    const client = await this.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const backend = (rows[0] as { pid: number }).pid;
    const postmaster = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${backend}/status`, 'utf8'))?.[1]);
    await client.end();
    const signal = (name: NodeJS.Signals): void => {
      const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ');
      for (const pid of [postmaster, ...children.map(Number)])
        try {
          kill(pid, name);
        } catch (e) {
          // A session that has just ended.
          if (existsSync(`/proc/${pid}`)) throw e;
        }
    };
    signal('SIGSTOP');
    return () => signal('SIGCONT');
  }

  /** Goes on with transaction ids of a later epoch, as a server does after 2^32 of them. */
  advanceEpoch(epoch: number): void {
    this.stop('fast');
    onData(this.node, 'pg_resetwal', `--epoch=${epoch}`);
    this.start();
  }

  remove(): void {
    removeNode(this.node);
  }
}
