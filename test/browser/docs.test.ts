import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.js';
import { databases } from '../support/databases.js';
import { createWorld, PROVIDER, READ_SCOPE, type World } from '../support/world.js';

const DOCUMENTATION_CLIENT = {
  client_id: 'swagger-ui',
  client_name: 'API documentation',
  token_endpoint_auth_method: 'none',
  scope: READ_SCOPE,
  upstream_providers: [PROVIDER],
};

/** `SCREENSHOTS=<directory>` keeps what the pages look like, for a person to judge. */
async function photograph(page: Page, name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS'];
  if (directory !== undefined) await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}

/** What an operator who declares the client has allowed it since the first release. */
const PRESELECTED = ['openid', 'profile', 'email', 'federated-identity:token'];

interface Box {
  getAttribute(name: string): string | null;
}
const namesOf = (boxes: Box[]): (string | null)[] => boxes.map((box) => box.getAttribute('data-value'));

/** Presses Authorize in the documentation and goes through sign-in and consent as a person does. */
async function authorize(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Authorize' }).first().click();
  const dialog = page.locator('.modal-ux');
  const oauth = dialog.locator('.auth-container').filter({ hasText: 'authorizationCode' });
  await photograph(page, 'authorize');
  expect(await oauth.locator('#client_id_authorizationCode').inputValue()).toBe('swagger-ui');
  expect(await oauth.locator('input[type=checkbox]:checked').evaluateAll(namesOf)).toEqual(PRESELECTED);
  const popup = page.waitForEvent('popup');
  await oauth.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
  const window = await popup;
  const closed = window.waitForEvent('close');
  await window.getByRole('link', { name: 'Continue with MobyPay' }).waitFor();
  await photograph(window, 'login');
  await window.getByRole('link', { name: 'Continue with MobyPay' }).click();
  await window.getByRole('button', { name: 'Alice Archer' }).click();
  await window.getByRole('button', { name: 'Allow' }).waitFor();
  await photograph(window, 'consent');
  await window.getByRole('button', { name: 'Allow' }).click();
  await closed;
  await oauth.getByText('Logout').waitFor();
  await photograph(page, 'authorized');
  await dialog.getByRole('button', { name: 'Close' }).first().click();
}

/** Opens an operation, presses Try it out and Execute; what the documentation shows as the answer. */
async function execute(page: Page, operation: string): Promise<{ status: string; body: Record<string, unknown> }> {
  const block = page.locator(`#operations-${operation}`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  await block.getByRole('button', { name: 'Execute' }).click();
  const live = block.locator('.live-responses-table');
  await live.waitFor();
  await photograph(page, operation);
  const text = await live.locator('.response-col_description .highlight-code code').first().innerText();
  return {
    status: await live.locator('.response .response-col_status').first().innerText(),
    body: JSON.parse(text) as Record<string, unknown>,
  };
}

describe('the documentation', () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let complaints: string[];
  beforeAll(async () => {
    const [kind] = databases;
    if (kind === undefined) throw new Error('TEST_DATABASES names no database');
    world = await createWorld(kind, {
      configure: ({ clients = [], ...others }) => ({ ...others, clients: [...clients, DOCUMENTATION_CLIENT] }),
    });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await world.stop();
  });
  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    // Violations of a content security policy are errors of the console, too.
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(String(error.error())));
  });
  afterEach(async () => {
    await context.close();
  });

  it('signs a person in with PKCE and tries both operations', async () => {
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${world.service.url}/docs`);
    await page.getByRole('button', { name: 'Authorize' }).first().waitFor();
    await photograph(page, 'docs');
    const authorization = context.waitForEvent('request', (request) => request.url().includes('/auth?'));
    await authorize(page);
    const sent = new URL((await authorization).url()).searchParams;
    expect(sent.get('code_challenge_method')).toBe('S256');

    const pace = await execute(page, 'PACE-getFederatedIdentityToken');
    expect(pace).toMatchObject({ status: '200', body: { token_type: 'Bearer' } });
    const onezone = await execute(page, 'Onezone-acquireIdpAccessToken');
    expect(onezone.status).toBe('200');
    expect(onezone.body['token']).toBe(pace.body['access_token']);
    expect(world.upstream.secrets).toContain(pace.body['access_token']);

    expect(asked.filter((url) => !url.startsWith(world.service.url) && !url.startsWith('data:'))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('shows a person who is lost a page that says so', async () => {
    const page = await context.newPage();
    const answer = await page.goto(`${world.service.url}/auth?client_id=nobody&redirect_uri=https://app.example/`);
    expect(answer?.status()).toBe(400);
    await photograph(page, 'error');
    expect(await page.getByRole('heading').innerText()).not.toBe('');
    expect(await page.innerText('body')).toContain('Reference');
    // The status is the one thing that the console has to say.
    expect(complaints.filter((text) => !text.includes('400'))).toEqual([]);
  });
});
