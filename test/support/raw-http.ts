import { connect } from 'node:net';
import { BrowserResponse } from './http-browser.js';

const WITHIN_MS = 15_000;

export interface RawRequest {
  method?: string;
  /** As it stands in the request line, odd as it may be. */
  target: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/**
 * One request, byte for byte as the test wants it, and the whole answer to it. Nothing is sent but these bytes, and the
 * answer is not waited for in vain: it fails after a while.
 */
export function sendRaw(url: string, request: RawRequest): Promise<BrowserResponse> {
  const { hostname, port } = new URL(url);
  const { method = 'POST', target, headers = {}, body = '' } = request;
  const bytes = Buffer.from(body);
  const framed = Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name));
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    ...Object.entries({ ...(!framed && { 'Content-Length': String(bytes.length) }), ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const late = setTimeout(() => socket.destroy(new Error(`no answer to ${method} ${target}`)), WITHIN_MS);
    let received = Buffer.alloc(0);
    const settle = (): void => {
      const answer = parse(received, `http://${hostname}:${port}${target}`);
      if (!answer) return;
      resolve(answer);
      socket.destroy();
    };
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      settle();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(late);
      reject(new Error(`no whole answer to ${method} ${target}: ${received.toString('latin1')}`));
    });
    socket.write(Buffer.concat([head, bytes]));
  });
}

/** Undefined while something of it is still to come. */
function parse(bytes: Buffer, url: string): BrowserResponse | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [status = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => [line.split(':')[0] ?? '', line.replace(/^[^:]*:\s*/, '')]),
  );
  const rest = bytes.subarray(end + 4);
  const body = headers.get('transfer-encoding') === 'chunked' ? dechunked(rest) : rest;
  if (body === undefined || body.length < Number(headers.get('content-length') ?? 0)) return undefined;
  return new BrowserResponse(url, Number(status.split(' ')[1]), headers, body);
}

function dechunked(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (size === 0) return Buffer.concat(chunks);
    if (bytes.length < lineEnd + 2 + size) return undefined;
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
