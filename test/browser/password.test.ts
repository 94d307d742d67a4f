import { createServer, type Server } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.mjs';
import { launchChromium } from '../support/chromium.js';
import { databases } from '../support/databases.js';
import { createWorld, pkce, PROVIDER, READ_SCOPE, type World } from '../support/world.js';

let world: World;
let browser: Browser;
let client: Server;
let redirectUri: string;

beforeAll(async () => {
  client = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<h1>Welcome</h1>');
  });
  const port = await freePort();
  await new Promise<void>((resolve) => void client.listen(port, '127.0.0.1', resolve));
  redirectUri = `http://127.0.0.1:${port}/callback`;
  const [kind] = databases;
  if (kind === undefined) throw new Error('TEST_DATABASES names no database');
  world = await createWorld(kind, {
    env: { PASSWORD_SIGN_IN: 'on' },
    configure: ({ clients = [], ...others }) => ({
      ...others,
      clients: [
        ...clients,
        {
          client_id: 'elsewhere',
          token_endpoint_auth_method: 'none',
          redirect_uris: [redirectUri],
          scope: READ_SCOPE,
          consent: 'implicit',
          upstream_providers: [PROVIDER],
        },
      ],
    }),
  });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await world.stop();
  client.closeAllConnections();
  client.close();
});

it('leads a person who signs in with a password on to a client of another origin', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const query = new URLSearchParams({
    client_id: 'elsewhere',
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: READ_SCOPE,
    state: 'the-state',
    code_challenge: pkce().challenge,
    code_challenge_method: 'S256',
  });
  await page.goto(`${world.service.url}/auth?${query.toString()}`);
  await page.getByLabel('User name').fill('ada');
  await page.getByLabel('Password').fill('correct horse battery staple');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Welcome' }).waitFor({ timeout: 10_000 });
  const { origin, searchParams } = new URL(page.url());
  expect([origin, searchParams.get('state')]).toEqual([new URL(redirectUri).origin, 'the-state']);
  expect(searchParams.has('code')).toBe(true);
});
