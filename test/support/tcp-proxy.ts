import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network that can be cut: everything passes until `cut()`, nothing after it, and again after `restore()`. */
export interface TcpProxy {
  port: number;
  /** The connections that are open. */
  readonly connections: number;
  cut: () => Promise<void>;
  restore: () => Promise<void>;
  /** From now on nothing passes, not even that somebody hung up: connections stay open, new ones too, and nobody answers. */
  stall: () => void;
  /** All that was held back passes, late. */
  resume: () => void;
  /**
   * The next request that holds the text reaches the server, its answer reaches nobody, and the connection breaks.
   * Resolves when the server has answered.
   */
  loseAnswerTo: (text: string) => Promise<void>;
  stop: () => Promise<void>;
}

interface Loss {
  text: string;
  lost: () => void;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let stalled = false;
  let loss: Loss | undefined;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    // Cutting makes both ends fail; that is what they are for.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    if (stalled) socket.pause();
    return socket;
  };
  const forward = (from: Socket, to: Socket, passes: (bytes: Buffer) => boolean): void => {
    from.on('data', (bytes: Buffer) => {
      if (passes(bytes)) to.write(bytes);
    });
    from.once('end', () => to.end());
    from.once('close', () => to.destroySoon());
    if (stalled) from.pause();
  };
  const server = createServer((client) => {
    const upstream = keep(connect(target.port, target.host));
    keep(client);
    let losing: Loss | undefined;
    forward(client, upstream, (bytes) => {
      if (loss && bytes.includes(loss.text)) [losing, loss] = [loss, undefined];
      return true;
    });
    forward(upstream, client, () => {
      if (!losing) return true;
      for (const socket of [client, upstream]) socket.destroy();
      losing.lost();
      return false;
    });
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  return {
    port,
    get connections() {
      return sockets.size / 2;
    },
    cut,
    restore: async () => {
      await listen(port);
    },
    stall: () => {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    loseAnswerTo: (text) =>
      new Promise((lost) => {
        loss = { text, lost };
      }),
    stop: cut,
  };
}
