import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** After this long, requests that are still in flight are cut. */
const LIMIT_MS = 25_000;
const SWEEP_INTERVAL_MS = 100;

/**
 * Prepares a server to be closed without cutting a request. Answers the function that does it: no new connections,
 * requests in flight are finished, and connections that only wait, also those that never sent anything, are closed.
 */
export function drainable(server: Server): () => Promise<void> {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.prependListener('request', ({ socket }) => silent.delete(socket));
  return async () => {
    // A connection that is busy now is kept alive once it is answered, and would hold us until the limit.
    server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_INTERVAL_MS);
    const limit = setTimeout(() => server.closeAllConnections(), LIMIT_MS);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of silent) socket.destroy();
    });
    clearInterval(sweep);
    clearTimeout(limit);
  };
}
