import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort, preferPort } from '../../../scripts/free-port.mjs';

it('hands out different ports, keeps a wanted free one and replaces a busy one', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(new Set(ports).size).toBe(20);
  const wanted = await freePort();
  expect(await preferPort(wanted)).toBe(wanted);
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(wanted, '127.0.0.1', resolve));
  expect(await preferPort(wanted)).not.toBe(wanted);
  await new Promise((resolve) => server.close(resolve));
});
