import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * Another port that leads to a server and can be made silent: connections are accepted and nothing is ever answered, and
 * those that are open keep what is sent until it ends, as a stopped process does.
 */
export class Silence {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private kept: (() => void)[] = [];
  private silent = false;
  port = 0;

  private constructor(target: number) {
    this.server = createServer((client) => {
      this.watch(client);
      this.when(() => {
        if (client.destroyed) return;
        const upstream = connect(target, '127.0.0.1');
        this.watch(upstream);
        for (const [from, to] of [
          [client, upstream],
          [upstream, client],
        ] as const) {
          from.on('data', (data) => this.when(() => to.write(data)));
          from.on('close', () => this.when(() => to.end()));
        }
      });
    });
  }

  static async of(target: number): Promise<Silence> {
    const silence = new Silence(target);
    await new Promise<void>((resolve) => silence.server.listen(0, '127.0.0.1', resolve));
    silence.port = (silence.server.address() as AddressInfo).port;
    return silence;
  }

  private watch(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }

  private when(act: () => void): void {
    if (this.silent) this.kept.push(act);
    else act();
  }

  begin(): void {
    this.silent = true;
  }

  /** What was sent meanwhile arrives now, in order. */
  end(): void {
    this.silent = false;
    const { kept } = this;
    this.kept = [];
    for (const act of kept) act();
  }

  async close(): Promise<void> {
    for (const s of this.sockets) s.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
