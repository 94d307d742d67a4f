import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/free-port.mjs';
import { Browser, decodeEntities, form } from '../../support/http-browser.js';
import { SecretLedger } from '../../support/secret-ledger.js';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const routes: Record<string, Handler> = {
  '/echo': (request, response, body) => {
    const { method, url, headers } = request;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ method, url, headers, body }));
  },
  '/cookies': (_request, response) => {
    response.setHeader('set-cookie', [
      'everywhere=value-everywhere; Path=/; HttpOnly; Secure',
      'below=value-below; Path=/echo/deep',
      'implied=value-implied',
      'gone=value-gone; Path=/; Max-Age=0',
      'old=value-old; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    ]);
    response.end();
  },
  '/delete': (_request, response) => {
    response.setHeader('set-cookie', 'everywhere=; Path=/; Max-Age=0').end();
  },
  '/redirect': (request, response) => {
    const status = Number(new URL(request.url ?? '', 'http://x').searchParams.get('status'));
    response.writeHead(status, { location: '/echo?code=code-in-location' }).end();
  },
  '/loop': (_request, response) => {
    response.writeHead(302, { location: '/loop' }).end();
  },
  '/page': (_request, response) => {
    response.setHeader('content-type', 'text/html').end(`<h1>Hi</h1>
      <form action="/search"><input name="q" value="1"></form>
      <form method="post" action="/echo?x=1&amp;y=2"><input type="hidden" name="csrf_token" value="csrf-&quot;token&quot;">
      <input name='username'><input type=checkbox name=off value=1><input type="checkbox" name="on" checked>
      <select name="idp"><option value="a">A</option><option value="b" selected>B</option></select>
      <textarea name="note">x &lt; y</textarea>
      <button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>`);
  },
  '/tokens': (_request, response) => {
    const tokens = {
      access_token: 'json-access-token',
      nested: [{ idToken: 'json-id-token' }],
      code: 'error-code-word',
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(tokens));
  },
};

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

describe('Browser', () => {
  let server: Server;
  let base: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const path = new URL(request.url ?? '', 'http://x').pathname;
        const route = routes[path] ?? (path.startsWith('/echo') ? routes['/echo'] : undefined);
        if (route === undefined) response.writeHead(404).end();
        else route(request, response, body);
      });
    });
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const echoedCookies = async (browser: Browser, path: string) =>
    (await browser.request(base + path)).json<Echo>().headers['cookie'];

  it('keeps cookies by path, drops expired ones, and forgets deleted ones', async () => {
    const browser = new Browser();
    await browser.get(`${base}/cookies`);
    expect(await echoedCookies(browser, '/echo')).toBe('everywhere=value-everywhere; implied=value-implied');
    expect(await echoedCookies(browser, '/echo/deep/er')).toBe(
      'below=value-below; everywhere=value-everywhere; implied=value-implied',
    );
    expect(await echoedCookies(browser, '/echo/deeper')).not.toContain('below');
    expect(browser.cookies(base).find(({ name }) => name === 'everywhere')).toMatchObject({
      httpOnly: true,
      secure: true,
    });
    await browser.get(`${base}/delete`);
    expect(await echoedCookies(browser, '/echo')).toBe('implied=value-implied');
  });

  it('shares cookies neither with other browsers nor with other ports', async () => {
    const browser = new Browser();
    await browser.get(`${base}/cookies`);
    expect(await echoedCookies(new Browser(), '/echo')).toBeUndefined();
    expect(browser.cookies('http://127.0.0.1:1/')).toEqual([]);
    browser.setCookie(base, 'planted=stolen; Path=/');
    expect(await echoedCookies(browser, '/echo')).toContain('planted=stolen');
    browser.clearCookies();
    expect(await echoedCookies(browser, '/echo')).toBeUndefined();
  });

  it.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'a=1'],
    [308, 'POST', 'a=1'],
  ])('follows %i after a POST as %s', async (status, method, body) => {
    const browser = new Browser();
    const answer = await browser.post(`${base}/redirect?status=${status}`, { a: '1' });
    expect(answer.json<Echo>()).toMatchObject({ method, body });
    expect(browser.visited).toEqual([`${base}/redirect?status=${status}`, `${base}/echo?code=code-in-location`]);
    expect(answer.url).toBe(`${base}/echo?code=code-in-location`);
  });

  it('stops where it is told, takes single steps, and ends a loop', async () => {
    const browser = new Browser();
    const step = await browser.request(`${base}/redirect?status=302`);
    expect([step.status, step.location?.pathname]).toEqual([302, '/echo']);
    expect((await browser.follow(step)).status).toBe(200);
    const stopped = await browser.get(`${base}/redirect?status=303`, {
      stopBefore: ({ pathname }) => pathname === '/echo',
    });
    expect(stopped.status).toBe(303);
    await expect(browser.get(`${base}/loop`)).rejects.toThrow('too many redirects');
  });

  it('sends forms with repeated names, JSON, raw bodies, any method and header', async () => {
    const browser = new Browser();
    const send = async (options: Parameters<Browser['request']>[1]) =>
      (await browser.request(`${base}/echo`, options)).json<Echo>();
    const repeated = await send({ form: [['resource', 'a b'], ['resource', 'c']] }); // prettier-ignore
    expect(repeated).toMatchObject({ method: 'POST', body: 'resource=a+b&resource=c' });
    const json = await send({ method: 'PUT', json: { a: 1 }, headers: { 'X-Thing': 'yes' } });
    expect(json).toMatchObject({ method: 'PUT', body: '{"a":1}', headers: { 'x-thing': 'yes' } });
    expect(json.headers['content-type']).toBe('application/json');
    const raw = await send({ method: 'POST', body: '{broken', headers: { 'content-type': 'application/json' } });
    expect(raw.body).toBe('{broken');
  });

  it('reads forms and submits them', async () => {
    const browser = new Browser();
    const page = await browser.get(`${base}/page`);
    expect(form(page.text(), 'csrf_token')).toEqual({
      action: '/echo?x=1&y=2',
      method: 'POST',
      fields: { csrf_token: 'csrf-"token"', username: '', on: 'on', idp: 'b', note: 'x < y' },
      buttons: [
        { name: 'decision', value: 'allow' },
        { name: 'decision', value: 'deny' },
      ],
    });
    expect(() => form(page.text(), 'nothing')).toThrow('no form with "nothing"');
    const answer = await browser.submit(page, { username: 'ada', decision: 'allow' }, { having: 'decision' });
    expect(answer.json<Echo>().url).toBe('/echo?x=1&y=2');
    const sent = Object.fromEntries(new URLSearchParams(answer.json<Echo>().body));
    expect(sent).toMatchObject({ username: 'ada', decision: 'allow', csrf_token: 'csrf-"token"' });
    expect(decodeEntities('&#x41;&#66;&amp;&unknown;')).toBe('AB&&unknown;');
  });

  it('records what is secret, and only that', async () => {
    const ledger = new SecretLedger();
    const browser = new Browser(ledger);
    const basic = Buffer.from('client:basic%2Dpassword').toString('base64');
    await browser.get(`${base}/cookies`);
    await browser.get(`${base}/page`);
    await browser.get(`${base}/tokens`);
    await browser.request(`${base}/redirect?status=302&state=state-is-no-secret`);
    await browser.request(`${base}/echo?code=code-in-query`, { headers: { Authorization: `Basic ${basic}` } });
    await browser.request(`${base}/echo`, { headers: { 'X-Auth-Token': 'x-auth-token-value' } });
    await browser.request(`${base}/echo`, { headers: { authorization: 'Bearer bearer-token-value' } });
    await browser.post(`${base}/echo`, { code_verifier: 'the-code-verifier', username: 'not-a-secret' });
    await browser.request(`${base}/echo`, { json: { client_secret: 'json-client-secret' } });
    const secrets = [
      'value-everywhere',
      'csrf-"token"',
      'json-access-token',
      'json-id-token',
      'code-in-location',
      'code-in-query',
      'basic%2Dpassword',
      'basic-password',
      'x-auth-token-value',
      'bearer-token-value',
      'the-code-verifier',
      'json-client-secret',
    ];
    expect(secrets.filter((secret) => !ledger.has(secret))).toEqual([]);
    const harmless = ['state-is-no-secret', 'not-a-secret', 'error-code-word'];
    expect(harmless.filter((value) => ledger.has(value))).toEqual([]);
  });
});
