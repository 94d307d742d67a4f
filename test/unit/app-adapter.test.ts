import { once } from 'node:events';
import { IncomingMessage, ServerResponse, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Express, Request, Response } from 'express';
import { afterEach, expect, it, vi } from 'vitest';
import { HttpAdapter } from '../../src/app.adapter.js';

let server: Server | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  server?.closeAllConnections();
  if (server?.listening) await once(server.close(), 'close');
  server = undefined;
});

async function serve(options: Parameters<HttpAdapter['initHttpServer']>[0]) {
  const adapter = new HttpAdapter();
  adapter.initHttpServer(options);
  const express = adapter.getInstance<Express>();
  express.get('/', (request: Request, response: Response) => {
    response.set('X-Seen', `${request.method} ${request.path} ${request.get('host')}`).json({ ok: true });
  });
  server = adapter.getHttpServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { adapter, ask: () => fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }), port };
}

it('lets Express find its prototypes in place below Node 22, and works as Express does', async () => {
  const { ask, port } = await serve({});
  const replace = vi.spyOn(Object, 'setPrototypeOf');
  let replaced = 0;
  replace.mockImplementation((target: object, prototype: object | null) => {
    const isMessage = target instanceof IncomingMessage || target instanceof ServerResponse;
    if (isMessage && Object.getPrototypeOf(target) !== prototype) replaced += 1;
    Reflect.setPrototypeOf(target, prototype);
    return target;
  });
  const answer = await ask();
  expect(await answer.json()).toEqual({ ok: true });
  expect(answer.headers.get('x-seen')).toBe(`GET / 127.0.0.1:${port}`);
  const belowNode22 = Number.parseInt(process.versions.node, 10) < 22;
  expect(replaced > 0).toBe(!belowNode22);
});

it('keeps what the stock server does when it is asked to: 503 while closing', async () => {
  const { adapter, ask } = await serve({ return503OnClosing: true });
  expect((await ask()).status).toBe(200);
  Object.assign(adapter, { isShuttingDown: true });
  expect((await ask()).status).toBe(503);
});

it('keeps what the stock server does when it is asked to: connections are closed by force', async () => {
  const { adapter, port } = await serve({ forceCloseConnections: true });
  const connections = (adapter as unknown as { openConnections: Set<unknown> }).openConnections;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  await vi.waitFor(() => expect(connections.size).toBe(1));
  const closed = once(socket, 'close');
  await Promise.all([adapter.close(), closed]);
});
