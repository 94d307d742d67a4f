import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { authorizationUrl, login, open, toldClient } from '../support/journeys.js';
import { createWorld, READ_SCOPE, REDIRECT_URI, type World } from '../support/world.js';

/** Every character that form encoding, Basic and UTF-8 could trip over. */
const ODD = { id: 'odd', secret: 'p%41+ä:/&=?#"~ 100% ok\\' };
const POSTER = { id: 'poster', secret: 'poster+secret%20with=odd&signs-0123456789' };
const READER = { id: 'reader', secret: 'reader-secret-0123456789abcdef0123456789abcdef' };
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
    'Basic and the body',
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
  beforeAll(async () => {
    const common = { redirect_uris: [REDIRECT_URI], scope: READ_SCOPE, consent: 'implicit' };
    world = await createWorld(kind, {
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
          { ...common, client_id: 'retired', client_secret: 'retired-secret-0123456789abcdef-012345' },
        ],
      }),
    });
    for (const { secret } of [ODD, POSTER]) world.ledger.add(secret, 'configured secret');
    await world.database.query("UPDATE clients SET disabled_at = 1 WHERE client_id = 'retired'");
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

  it.each(ACCEPTED)('RFC 6749 2.3.1: %s is accepted', async (_, how) => {
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

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
