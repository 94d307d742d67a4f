import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { authorizationUrl, login, open, toldClient } from '../support/journeys.js';
import type { Service } from '../support/service.js';
import { createWorld, READ_SCOPE, REDIRECT_URI, type World } from '../support/world.js';

/** Every character that form encoding, Basic and UTF-8 could trip over. */
const ODD = { id: 'odd', secret: 'p%41+ä:/&=?#"~ 100% ok\\' };
const POSTER = { id: 'poster', secret: 'poster+secret%20with=odd&signs-0123456789' };
const READER = { id: 'reader', secret: 'reader-secret-0123456789abcdef0123456789abcdef' };
const HUMAN = { id: 'human', secret: 'blue horse 12' };
const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
const basic = (id: string, secret: string, encode = formEncoded): string =>
  `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;
const asIs = (text: string): string => text;

interface Attempt {
  /** Whose code it is. */
  client: string;
  authorization?: string;
  form?: Record<string, string>;
}

const ACCEPTED: [string, Attempt][] = [
  ['Basic, form-encoded', { client: 'odd', authorization: basic(ODD.id, ODD.secret) }],
  ['Basic, percent-encoded', { client: 'odd', authorization: basic(ODD.id, ODD.secret, encodeURIComponent) }],
  ['Basic in other letters', { client: 'odd', authorization: basic(ODD.id, ODD.secret).replace('Basic', 'bAsIc') }],
  [
    'Basic, not encoded, where nothing needs it',
    { client: 'reader', authorization: basic(READER.id, READER.secret, asIs) },
  ],
  [
    'Basic beside its own client_id',
    { client: 'reader', authorization: basic(READER.id, READER.secret), form: { client_id: 'reader' } },
  ],
  ['the body', { client: 'poster', form: { client_id: POSTER.id, client_secret: POSTER.secret } }],
  ['nothing but its id, a public client', { client: 'asker', form: { client_id: 'asker' } }],
  ['its id and an empty secret, a public client', { client: 'asker', form: { client_id: 'asker', client_secret: '' } }],
];

const REFUSED: [string, Attempt, number, string][] = [
  ['nothing', { client: 'reader' }, 400, 'invalid_client'],
  ['its id alone, a confidential client', { client: 'reader', form: { client_id: 'reader' } }, 400, 'invalid_client'],
  [
    'a wrong secret',
    { client: 'reader', authorization: basic('reader', 'wrong-secret-0123456789') },
    401,
    'invalid_client',
  ],
  ['an empty secret', { client: 'reader', authorization: basic('reader', '') }, 401, 'invalid_client'],
  [
    'the secret of another client',
    { client: 'reader', authorization: basic('reader', POSTER.secret) },
    401,
    'invalid_client',
  ],
  ['an unknown client', { client: 'reader', authorization: basic('nobody', READER.secret) }, 401, 'invalid_client'],
  [
    'a disabled client',
    { client: 'reader', authorization: basic('retired', 'retired-secret-0123456789abcdef-012345') },
    401,
    'invalid_client',
  ],
  [
    'the body where Basic is registered',
    { client: 'reader', form: { client_id: READER.id, client_secret: READER.secret } },
    400,
    'invalid_client',
  ],
  [
    'Basic where the body is registered',
    { client: 'poster', authorization: basic(POSTER.id, POSTER.secret) },
    401,
    'invalid_client',
  ],
  [
    '"One method per request": Basic and the body',
    {
      client: 'reader',
      authorization: basic(READER.id, READER.secret),
      form: { client_id: READER.id, client_secret: READER.secret },
    },
    400,
    'invalid_request',
  ],
  [
    'Basic beside the id of another client',
    { client: 'reader', authorization: basic(READER.id, READER.secret), form: { client_id: 'asker' } },
    400,
    'invalid_request',
  ],
  [
    'a secret, a public client in the body',
    { client: 'asker', form: { client_id: 'asker', client_secret: 'anything-at-all' } },
    400,
    'invalid_client',
  ],
  [
    'a secret, a public client by Basic',
    { client: 'asker', authorization: basic('asker', 'anything-at-all') },
    401,
    'invalid_client',
  ],
  [
    'an empty secret, a public client by Basic',
    { client: 'asker', authorization: basic('asker', '') },
    401,
    'invalid_client',
  ],
  [
    'a secret that was not encoded though it needs it',
    { client: 'odd', authorization: basic(ODD.id, ODD.secret, asIs) },
    401,
    'invalid_client',
  ],
  ['Basic that cannot be read', { client: 'reader', authorization: 'Basic %%%' }, 401, 'invalid_client'],
  [
    'Basic that cannot be read, beside a public client_id',
    { client: 'asker', authorization: 'Basic %%%', form: { client_id: 'asker' } },
    401,
    'invalid_client',
  ],
  [
    'Basic without a colon',
    { client: 'reader', authorization: `Basic ${Buffer.from('reader').toString('base64')}` },
    401,
    'invalid_client',
  ],
];

describe.each(databases)('client authentication on $name', (kind) => {
  let world: World;
  let other: Service;
  beforeAll(async () => {
    const common = { redirect_uris: [REDIRECT_URI], scope: READ_SCOPE, consent: 'implicit' };
    world = await createWorld(kind, {
      env: { ADMIN_API_KEY },
      configure: (configuration) => ({
        ...configuration,
        clients: [
          ...(configuration['clients'] ?? []).map((entry) => ({ ...(entry as object), consent: 'implicit' })),
          { ...common, client_id: ODD.id, client_secret: ODD.secret },
          {
            ...common,
            client_id: POSTER.id,
            client_secret: POSTER.secret,
            token_endpoint_auth_method: 'client_secret_post',
          },
          ...[HUMAN, { id: 'maker', secret: 'maker-secret-0123456789abcdef-0123456789abcdef' }].map(
            ({ id, secret }) => ({
              client_id: id,
              client_secret: secret,
              scope: 'accounts:read',
              grant_types: ['client_credentials'],
            }),
          ),
          { ...common, client_id: 'retired', client_secret: 'retired-secret-0123456789abcdef-012345' },
        ],
      }),
    });
    for (const { secret } of [ODD, POSTER, HUMAN]) world.ledger.add(secret, 'configured secret');
    await world.database.query("UPDATE clients SET disabled_at = 1 WHERE client_id = 'retired'");
    other = kind.name === 'postgres' ? await world.startReplica() : world.service;
  });
  afterAll(async () => {
    await world.stop();
  });

  /** Redeems a code that everything else is right about. */
  async function attempt({ client, authorization, form }: Attempt): Promise<BrowserResponse> {
    const browser = world.browser();
    await login(world, browser);
    const { url, verifier } = authorizationUrl(world, { client_id: client });
    const code = toldClient(await open(browser, url)).get('code') ?? '';
    return world.request('/token', {
      form: { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier, ...form },
      ...(authorization !== undefined && { headers: { authorization } }),
    });
  }

  it.each(ACCEPTED)('"form-decoded (RFC 6749 §2.3.1 …)": %s is accepted', async (_, how) => {
    expect((await attempt(how)).status).toBe(200);
  });

  it.each(REFUSED)('%s is refused', async (_, how, status, error) => {
    const answer = await attempt(how);
    expect([answer.status, answer.json()['error']]).toEqual([status, error]);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
    // Unknown, disabled, wrong method and wrong secret are one answer.
    if (error === 'invalid_client') expect(answer.json()['error_description']).toBe('Client authentication failed.');
  });

  it('a NUL, which PostgreSQL cannot even look for, is refused like anything else that is wrong', async () => {
    const answer = await attempt({ client: 'reader', authorization: basic('reader\0', READER.secret) });
    expect([400, 401]).toContain(answer.status);
  });

  it('an access token is not asked for in another kind of body', async () => {
    const json = { grant_type: 'authorization_code', client_id: 'asker' };
    expect((await world.request('/token', { json })).status).toBeGreaterThanOrEqual(400);
    expect(
      (await world.request('/token?client_id=asker&grant_type=authorization_code', { method: 'POST' })).status,
    ).toBe(400);
    expect((await world.request('/token')).status).toBe(405);
  });

  const own = (id: string, secret: string, { at = other, path = '/token' } = {}): Promise<BrowserResponse> =>
    world.browser().request(at.url + path, {
      form: { grant_type: 'client_credentials' },
      headers: { authorization: basic(id, secret) },
    });
  const count = async (): Promise<unknown> => (await world.database.query('SELECT COUNT(*) AS n FROM throttles'))[0];
  const admin = async (method: string, path: string, json?: object): Promise<Record<string, unknown>> => {
    const answer = await world.request(path, {
      method,
      json,
      headers: { authorization: `Bearer ${ADMIN_API_KEY}` },
    });
    expect(answer.status).toBeLessThan(300);
    return answer.text() === '' ? {} : answer.json();
  };

  it.each(['/token', '/oauth2/tokens'])(
    '"One public text for unknown, expired and wrong-client …; the difference goes to the log": %s',
    async (path) => {
      const before = world.service.output().length;
      const answers = new Set<string>();
      for (const [id, secret] of [
        ['nobody', READER.secret],
        ['reader', 'wrong-secret-0123456789'],
        ['retired', 'retired-secret-0123456789abcdef-012345'],
        [POSTER.id, POSTER.secret],
      ] as const) {
        const answer = await own(id, secret, { path, at: world.service });
        answers.add(JSON.stringify([answer.status, answer.headers.get('www-authenticate'), answer.text()]));
      }
      expect(answers.size).toBe(1);
      expect([...answers][0]).toContain('Client authentication failed.');
      await expect
        .poll(() => {
          const lines = world.service.output().slice(before).split('\n');
          return lines.flatMap((line) => /"detail":"([^"]+)"/.exec(line)?.[1] ?? []);
        })
        .toEqual(
          expect.arrayContaining([
            'unknown client',
            'disabled client',
            'method client_secret_basic is not the registered one',
          ]),
        );
    },
  );

  it('"429 with `Retry-After`": guesses at a secret that a human made are counted on all replicas, and the right one has to wait, too', async () => {
    const guesses = new Set<number>();
    for (let guess = 0; guess < 50; guess += 1) {
      guesses.add((await own('human', `wrong secret ${guess}`, { at: guess % 2 ? other : world.service })).status);
    }
    expect(guesses).toEqual(new Set([401]));
    // As if the wait had just begun, however long the guessing took.
    await world.database.query('UPDATE throttles SET blocked_until = ? WHERE blocked_until IS NOT NULL', [
      Date.now() + 60_000,
    ]);
    const raidiam = await own('human', HUMAN.secret);
    expect([raidiam.status, raidiam.text()]).toEqual([429, '']);
    expect(Number(raidiam.headers.get('retry-after'))).toBeGreaterThan(0);
    const slashid = await own('human', HUMAN.secret, { path: '/oauth2/tokens' });
    expect([slashid.status, slashid.json()]).toEqual([
      429,
      { errors: [{ httpcode: 429, message: 'There were too many requests.' }] },
    ]);
    expect(Number(slashid.headers.get('retry-after'))).toBeGreaterThan(0);
    await world.database.query('UPDATE throttles SET blocked_until = 1 WHERE blocked_until IS NOT NULL');
    expect((await own('human', HUMAN.secret)).status).toBe(200);
  });

  it('guesses at a random secret are not counted, nor are those at a client that nobody knows', async () => {
    const before = await count();
    for (const id of ['maker', 'nobody']) {
      const answers = await Promise.all(Array.from({ length: 12 }, () => own(id, 'wrong-secret-0123456789')));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    }
    expect(await count()).toEqual(before);
  });

  it('what another process changes counts at the very next request', async () => {
    const entry = { client_id: 'mutable', scope: 'accounts:read', grant_types: ['client_credentials'] };
    const { client_secret: first } = await admin('POST', '/admin/clients', entry);
    const status = async (secret: unknown): Promise<number> => (await own('mutable', String(secret))).status;
    expect(await status(first)).toBe(200);
    await admin('POST', '/admin/clients/mutable/disable');
    expect(await status(first)).toBe(401);
    await admin('POST', '/admin/clients/mutable/enable');
    expect(await status(first)).toBe(200);
    const { client_secret: second } = await admin('POST', '/admin/clients/mutable/rotate-secret', {
      previous_valid_for: 60,
    });
    expect([await status(first), await status(second)]).toEqual([200, 200]);
    const { client_secret: third } = await admin('POST', '/admin/clients/mutable/rotate-secret', {
      previous_valid_for: 0,
    });
    expect([await status(first), await status(second), await status(third)]).toEqual([401, 401, 200]);
    await admin('PUT', '/admin/clients/mutable', { ...entry, scope: 'reports:read' });
    expect((await own('mutable', String(third))).json()['scope']).toBe('reports:read');
    await admin('DELETE', '/admin/clients/mutable');
    expect(await status(third)).toBe(401);
    await admin('POST', '/admin/clients', entry);
    expect(await status(third)).toBe(401);
  });

  it('when a client was used last is told by both administrations', async () => {
    const { client_secret: secret } = await admin('POST', '/admin/clients', {
      client_id: 'tracked',
      scope: 'accounts:read',
      grant_types: ['client_credentials'],
    });
    expect((await own('tracked', 'wrong-secret-0123456789')).status).toBe(401);
    const { updated_at: updatedAt, last_used_at: never } = await admin('GET', '/admin/clients/tracked');
    expect(never).toBeUndefined();
    const before = Date.now();
    expect((await own('tracked', String(secret))).status).toBe(200);
    await expect
      .poll(async () => Date.parse(String((await admin('GET', '/admin/clients/tracked'))['last_used_at'])), {
        timeout: 10_000,
      })
      .toBeGreaterThanOrEqual(before);
    expect((await admin('GET', '/admin/clients/tracked'))['updated_at']).toBe(updatedAt);
    const slashid = JSON.stringify(await admin('GET', '/oauth2/clients/tracked'));
    expect(slashid).toMatch(/"last_used":"20/);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
