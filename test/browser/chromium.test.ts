import { createServer, type Server } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.mjs';
import { launchChromium } from '../support/chromium.js';

let browser: Browser;
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    if (request.method === 'POST') response.end('<h1>Thank you</h1>');
    else response.end('<h1>Hello</h1><form method="post"><button name="decision" value="allow">Allow</button></form>');
  });
  const port = await freePort();
  url = `http://127.0.0.1:${port}/`;
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  server.closeAllConnections();
  server.close();
});

it('renders a page, clicks a button, and keeps two people apart', async () => {
  const [one, other] = [await browser.newContext(), await browser.newContext()];
  const page = await one.newPage();
  await page.goto(url);
  expect(await page.textContent('h1')).toBe('Hello');
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForSelector('text=Thank you');
  const second = await other.newPage();
  await second.goto(url);
  expect(await second.textContent('h1')).toBe('Hello');
  expect((await page.screenshot()).byteLength).toBeGreaterThan(1000);
});
