import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OutboundClient, OutboundDocument, OutboundError } from '../../../src/identity-providers/outbound-client.js';
import type { ListeningServer } from './provider-server.js';
import { listen, SteppedClock } from './provider-server.js';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function server(handler: RequestListener): Promise<ListeningServer> {
  const started = await listen(handler);
  open.push(started);
  return started;
}

function client(...allow: string[]): OutboundClient {
  const created = new OutboundClient({ allow });
  open.push(created);
  return created;
}

function failureOf(exchange: Promise<unknown>): Promise<unknown> {
  return exchange.then(
    () => undefined,
    (error: unknown) => error,
  );
}

const timeoutMs = 5000;

describe('OutboundClient', () => {
  it('sends the request as asked and gives a buffered Response of the platform', async () => {
    const { origin } = await server((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        response.writeHead(201, { 'x-seen': `${request.method} ${request.headers.authorization}` }).end(body);
      });
    });
    const response = await client('127.0.0.1').fetch(`${origin}/token`, {
      method: 'POST',
      headers: { authorization: 'Basic x' },
      body: new URLSearchParams({ a: 'b c' }),
      timeoutMs,
    });
    expect(response).toBeInstanceOf(Response);
    expect(response.status).toBe(201);
    expect(response.headers.get('x-seen')).toBe('POST Basic x');
    expect(await response.text()).toBe('a=b+c');
  });

  it('gives an answer without body', async () => {
    const { origin } = await server((_request, response) => response.writeHead(204).end());
    expect((await client('127.0.0.1').fetch(origin, { timeoutMs })).status).toBe(204);
  });

  it.each([
    ['a private literal', 'https://127.0.0.1:PORT/'],
    ['http to a literal', 'http://127.0.0.1:PORT/'],
    ['a literal in hexadecimal', 'https://0x7f000001:PORT/'],
    ['a mapped literal', 'https://[::ffff:127.0.0.1]:PORT/'],
    ['a name that resolves to a private address', 'https://localhost:PORT/'],
    ['http to a name', 'http://localhost:PORT/'],
    ['the metadata address', 'http://169.254.169.254/latest/meta-data/'],
    ['the metadata host', 'https://metadata.google.internal/'],
    ['another scheme', 'file:///etc/passwd'],
    ['no URL at all', 'nonsense'],
  ])('refuses %s before a byte is sent', async (_what, url) => {
    let connections = 0;
    const { port } = await server(() => (connections += 1));
    const error = await failureOf(client().fetch(url.replace('PORT', String(port)), { timeoutMs }));
    expect(error).toBeInstanceOf(OutboundError);
    expect(error).toMatchObject({ kind: 'refused-address' });
    expect(connections).toBe(0);
  });

  it('refuses the metadata service even if its network and name are listed', async () => {
    const careless = client('169.254.0.0/16', 'fd00::/8', '100.64.0.0/10', 'metadata.google.internal');
    for (const host of ['169.254.169.254', '[fd00:ec2::254]', '100.100.100.200', 'metadata.google.internal']) {
      expect(await failureOf(careless.fetch(`http://${host}/`, { timeoutMs }))).toMatchObject({
        kind: 'refused-address',
      });
    }
  });

  it('reaches a listed name, and a name that resolves into a listed range', async () => {
    const { port } = await server((_request, response) => response.end('here'));
    for (const allow of ['localhost', '127.0.0.0/8']) {
      const response = await client(allow).fetch(`http://localhost:${port}/`, { timeoutMs });
      expect(await response.text()).toBe('here');
    }
  });

  it('decides on a name at connect time: being worth a try is not enough', async () => {
    const { port } = await server((_request, response) => response.end('here'));
    const elsewhere = client('10.0.0.0/8');
    const url = `http://localhost:${port}/`;
    expect(elsewhere.permits(url)).toBe(true);
    expect(await failureOf(elsewhere.fetch(url, { timeoutMs }))).toMatchObject({ kind: 'refused-address' });
  });

  it('does not follow a redirect', async () => {
    const paths: (string | undefined)[] = [];
    const { origin } = await server((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const response = await client('127.0.0.1').fetch(`${origin}/token`, { method: 'POST', body: 'x', timeoutMs });
    expect(response.status).toBe(307);
    expect(paths).toEqual(['/token']);
  });

  it('cuts a body of 10 MB off and closes the connection', async () => {
    let closed: Promise<unknown> | undefined;
    let finished = false;
    const { origin } = await server((_request, response) => {
      closed = once(response, 'close');
      response.on('finish', () => (finished = true));
      writeForever(response, 10 * 1024 * 1024);
    });
    const error = await failureOf(client('127.0.0.1').fetch(origin, { timeoutMs }));
    expect(error).toMatchObject({ kind: 'too-large' });
    await closed;
    expect(finished).toBe(false);
  });

  it('counts a compressed body at its full size', async () => {
    const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024));
    const { origin } = await server((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    expect(bomb.byteLength).toBeLessThan(64 * 1024);
    const error = await failureOf(client('127.0.0.1').fetch(origin, { timeoutMs, maxBytes: 64 * 1024 }));
    expect(error).toMatchObject({ kind: 'too-large' });
  });

  it('takes a body of exactly the limit, compressed or not', async () => {
    const { origin } = await server((request, response) => {
      if (request.url === '/gzip')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100)));
      else response.end('x'.repeat(100));
    });
    for (const path of ['/plain', '/gzip']) {
      const response = await client('127.0.0.1').fetch(origin + path, { timeoutMs, maxBytes: 100 });
      expect(await response.text()).toBe('x'.repeat(100));
      expect(response.headers.get('content-encoding')).toBeNull();
    }
  });

  it.each<[string, RequestListener]>([
    ['never answers', () => undefined],
    ['stops after the headers', (_request, response) => response.writeHead(200).write('{')],
  ])('gives up on a server that %s', async (_what, handler) => {
    const { origin } = await server(handler);
    expect(await failureOf(client('127.0.0.1').fetch(origin, { timeoutMs: 50 }))).toMatchObject({ kind: 'timeout' });
  });

  it("honours the caller's signal", async () => {
    const { origin } = await server(() => undefined);
    const signal = AbortSignal.abort();
    expect(await failureOf(client('127.0.0.1').fetch(origin, { timeoutMs, signal }))).toMatchObject({
      kind: 'timeout',
    });
  });

  it('reports a closed port, a broken connection and use after close as network failures', async () => {
    const gone = await listen(() => undefined);
    await gone.close();
    const outbound = client('127.0.0.1');
    expect(await failureOf(outbound.fetch(gone.origin, { timeoutMs }))).toMatchObject({ kind: 'network' });
    const { origin } = await server((request) => request.socket.destroy());
    expect(await failureOf(outbound.fetch(origin, { timeoutMs }))).toMatchObject({ kind: 'network' });
    await outbound.close();
    expect(await failureOf(outbound.fetch(origin, { timeoutMs }))).toMatchObject({ kind: 'network' });
  });

  it('says neither path nor query nor body when it fails', async () => {
    const { origin } = await server((request) => request.socket.destroy());
    const outbound = client('127.0.0.1');
    for (const url of [`${origin}/p-secret?q=q-secret`, 'https://127.0.0.2/p-secret?q=q-secret']) {
      const error = await failureOf(outbound.fetch(url, { method: 'POST', body: 'b-secret', timeoutMs }));
      if (!(error instanceof OutboundError)) throw new Error('no OutboundError');
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('secret');
    }
  });

  it('opens at most 32 connections to one origin', async () => {
    const sockets = new Set<unknown>();
    const waiting: ServerResponse[] = [];
    const total = 50;
    const { origin } = await server((request, response) => {
      sockets.add(request.socket);
      waiting.push(response);
      // Nobody is answered before as many as can be are waiting, then each answer lets a further one in.
      if (waiting.length >= 32 || answered > 0) {
        for (const one of waiting.splice(0)) {
          answered += 1;
          one.end('ok');
        }
      }
    });
    let answered = 0;
    const outbound = client('127.0.0.1');
    await Promise.all(Array.from({ length: total }, () => outbound.fetch(origin, { timeoutMs })));
    expect(answered).toBe(total);
    expect(sockets.size).toBe(32);
  });
});

describe('OutboundDocument', () => {
  it('is asked for once by concurrent readers, kept, and asked for again when it is old', async () => {
    const clock = new SteppedClock();
    let loads = 0;
    const document = new OutboundDocument(async () => (loads += 1), 1000, clock);
    expect(await Promise.all([document.get(), document.get(), document.reload()])).toEqual([1, 1, 1]);
    clock.time += 999;
    expect(await document.get()).toBe(1);
    clock.time += 1;
    expect(await document.get()).toBe(2);
  });

  it('does not keep a failure', async () => {
    let loads = 0;
    const load = async () => {
      loads += 1;
      if (loads === 1) throw new Error('down');
      return loads;
    };
    const document = new OutboundDocument(load, 1000, new SteppedClock());
    await expect(Promise.all([document.get(), document.get()])).rejects.toThrow('down');
    expect(await document.get()).toBe(2);
  });
});

function writeForever(response: ServerResponse, bytes: number): void {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  let left = bytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

/** A server that answers when it is told to, and counts. */
async function silent() {
  const held: ServerResponse[] = [];
  const { origin } = await server((_request, response) => held.push(response));
  const answer = () => {
    for (const response of held.splice(0)) response.end('answer');
  };
  const outbound = new OutboundClient({ allow: ['127.0.0.1'], maxConnections: 2 });
  open.push(outbound);
  return { origin, held, answer, outbound };
}

describe('connections to one origin', () => {
  it('are never more than were configured; the others wait their turn', async () => {
    const { origin, held, answer, outbound } = await silent();
    const answers = Array.from({ length: 5 }, async () => (await outbound.fetch(origin, { timeoutMs })).text());
    const ended = Promise.all(answers);
    for (const [underWay, waiting] of [
      [2, 3],
      [2, 1],
      [1, 0],
    ] as const) {
      await vi.waitFor(() => expect([held.length, outbound.pending]).toEqual([underWay, waiting]));
      expect(outbound.openSockets).toBeLessThanOrEqual(2);
      answer();
    }
    expect(await ended).toEqual(Array.from({ length: 5 }, () => 'answer'));
    expect(outbound.pending).toBe(0);
  });

  it('are told apart from an answer that does not come: what got none was not sent', async () => {
    const { origin, held, answer, outbound } = await silent();
    const busy = [1, 2].map(() => outbound.fetch(origin, { timeoutMs }));
    expect(await failureOf(outbound.fetch(origin, { timeoutMs: 20 }))).toMatchObject({ kind: 'busy' });
    expect(await outbound.reserve(origin, { timeoutMs: 20 })).toBeUndefined();
    expect(outbound.pending).toBe(0);
    await vi.waitFor(() => expect(held).toHaveLength(2));
    answer();
    await Promise.all(busy);
  });

  it('can be reserved, and are free again once for each that is released', async () => {
    const { origin, held, answer, outbound } = await silent();
    const [one, other] = await Promise.all([1, 2].map(() => outbound.reserve(origin, { timeoutMs })));
    const waiting = outbound.reserve(origin, { timeoutMs });
    const sent = outbound.fetch(origin, { timeoutMs, slot: one });
    await vi.waitFor(() => expect(held).toHaveLength(1));
    answer();
    await sent;
    expect(outbound.pending).toBe(1);
    one?.release();
    one?.release();
    const next = await waiting;
    expect(next).toBeDefined();
    expect(await outbound.reserve(origin, { timeoutMs: 20 })).toBeUndefined();
    for (const slot of [other, next]) slot?.release();
    for (const _ of [1, 2]) expect(await outbound.reserve(origin, { timeoutMs })).toBeDefined();
  });

  it('are given back by exchanges that fail', async () => {
    const { origin, outbound } = await silent();
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await failureOf(outbound.fetch(origin, { timeoutMs: 20 }))).toMatchObject({ kind: 'timeout' });
      expect(await failureOf(outbound.fetch('http://127.0.0.1:1/', { timeoutMs }))).toMatchObject({ kind: 'network' });
    }
    for (const _ of [1, 2]) expect(await outbound.reserve(origin, { timeoutMs: 20 })).toBeDefined();
    expect(outbound.openSockets).toBeLessThanOrEqual(2);
  });
});
