import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Another port that leads to a server, as long as it is open. */
export class Detour {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** Connections it has seen. */
  connections = 0;
  port = 0;

  private constructor(target: number) {
    this.server = createServer((client) => {
      this.connections += 1;
      const upstream = connect(target, '127.0.0.1');
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(from);
        from.on('error', () => undefined);
        from.on('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  static async to(target: number): Promise<Detour> {
    const detour = new Detour(target);
    await new Promise<void>((resolve) => detour.server.listen(0, '127.0.0.1', resolve));
    detour.port = (detour.server.address() as AddressInfo).port;
    return detour;
  }

  /** Nobody gets through any more, and those who did are cut off. */
  async close(): Promise<void> {
    for (const s of this.sockets) s.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
