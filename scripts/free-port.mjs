import { createServer } from 'node:net';

/** Ports already handed out by this process: the kernel may offer a closed one again at once. */
const handedOut = new Set();

/**
 * @param {number} port 0 lets the kernel choose
 * @param {string} host
 * @returns {Promise<number | undefined>} the port that could be bound, or undefined when it is taken
 */
function tryPort(port, host) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    probe.listen(port, host, () => {
      const address = probe.address();
      const bound = address !== null && typeof address === 'object' ? address.port : undefined;
      probe.close(() => resolve(bound));
    });
  });
}

/**
 * A port that nobody listens on right now. Another process can still take it before you bind it: callers that start
 * servers retry on EADDRINUSE.
 * @param {string} [host]
 * @returns {Promise<number>}
 */
export async function freePort(host = '127.0.0.1') {
  for (;;) {
    const port = await tryPort(0, host);
    if (port !== undefined && !handedOut.has(port)) {
      handedOut.add(port);
      return port;
    }
  }
}

/**
 * The wanted port when it is free, else another one, so that a demo starts beside whatever already runs.
 * @param {number} wanted
 * @param {string} [host]
 * @returns {Promise<number>}
 */
export async function preferPort(wanted, host = '127.0.0.1') {
  return (await tryPort(wanted, host)) ?? (await freePort(host));
}
