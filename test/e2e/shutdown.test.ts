import { Agent, request as send, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { createWorld, PROVIDER, type World } from '../support/world.js';

const acceptsConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

describe.each(databases)('an orderly end on $name', (kind) => {
  let world: World;
  // A gateway keeps its connections for minutes.
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    agent.destroy();
    await world.stop();
  });

  const readToken = (token: string): Promise<{ status: number | undefined; body: string }> =>
    new Promise((resolve, reject) => {
      const asked = send(`${world.service.url}/federated-identities/${PROVIDER}/token`, {
        agent,
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
      asked.once('error', reject);
      asked.once('response', (answer: IncomingMessage) => {
        text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject);
      });
      asked.end();
    });

  it('answers what is in flight, and is not held up by the connection that stays open behind it', async () => {
    const { access_token: token } = await world.signIn({ login: 'alice' });
    await world.expire();
    world.upstream.withhold('answer');
    const inFlight = readToken(token);
    await world.upstream.waitForTokenRequest();
    const stopped = world.service.stop();
    await expect.poll(() => acceptsConnections(world.service.port)).toBe(false);
    world.upstream.release();
    expect(await inFlight).toMatchObject({ status: 200 });
    // stop() fails where the process has to be cut, which is what the service does to itself later still.
    expect(await stopped).toBe(0);
  });

  it('says that it is not ready while it still answers, for as long as it is told to', async () => {
    await world.restart('stop', { SHUTDOWN_DELAY_MS: '3000' });
    const stopped = world.service.stop();
    await expect.poll(async () => (await world.request('/readyz')).status).toBe(503);
    expect((await world.request('/readyz')).json()).toMatchObject({ ready: false, checks: { process: 'draining' } });
    expect((await world.request('/healthz')).status).toBe(200);
    expect(await stopped).toBe(0);
  });
});
