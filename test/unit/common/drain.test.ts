import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { drainable } from '../../../src/common/http/drain.js';

it('closes a connection that never sent anything, and finishes the request that is in flight', async () => {
  let answer!: ServerResponse;
  const server = createServer((_request, response) => {
    answer = response;
    server.emit('held');
  });
  const drain = drainable(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  const held = once(server, 'held');
  const inFlight = fetch(`http://127.0.0.1:${port}/`);
  await held;
  const drained = drain();
  await once(silent, 'close');
  answer.end('done');
  expect(await (await inFlight).text()).toBe('done');
  await drained;
  expect(server.listening).toBe(false);
});
