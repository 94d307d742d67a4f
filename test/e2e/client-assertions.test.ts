import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT, type JWTHeaderParameters } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import type { Service } from '../support/service.js';
import { stored } from '../support/wire.js';
import { createWorld, type World } from '../support/world.js';

const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const HMAC_SECRET = 'hmac-secret-0123456789abcdef0123456789abcdef';
const PRESENTED_SECRET = 'presented-secret-0123456789abcdef0123456789';
/** Not a key of any client. */
const NOT_REGISTERED = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ED = generateKeyPairSync('ed25519').privateKey;

const jwkOf = async (key: KeyObject, kid?: string) => ({
  ...(await exportJWK(createPublicKey(key))),
  ...(kid !== undefined && { kid }),
});
const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const pemOf = (key: KeyObject): string => String(createPublicKey(key).export({ type: 'spki', format: 'pem' }));

interface How {
  client?: string;
  /** Over the claims of a good one; undefined leaves one out. */
  claims?: Record<string, unknown>;
  header?: JWTHeaderParameters;
  key?: KeyObject | Uint8Array;
}

interface Presentation {
  path?: string;
  at?: Service;
  form?: Record<string, string>;
}

/** What each row knows of where it is. */
interface Place {
  issuer: string;
  now: number;
  sign: (how?: How) => Promise<string>;
}

type Row = [name: string, make: (place: Place) => Promise<string> | string, form?: Record<string, string>];

const ES: JWTHeaderParameters = { alg: 'ES256', kid: 'ec' };
const hs256 = (header: object, claims: object, key: string): string => {
  const input = `${base64url({ ...header, alg: 'HS256' })}.${base64url(claims)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
};
const goodClaims = ({ issuer, now }: Place, id = 'signer'): Record<string, unknown> => ({
  iss: id,
  sub: id,
  aud: issuer,
  jti: randomUUID(),
  iat: now,
  exp: now + 60,
});

const ACCEPTED: Row[] = [
  ['aud: the issuer', ({ sign }) => sign()],
  ['aud: the token endpoint', ({ sign, issuer }) => sign({ claims: { aud: `${issuer}/token` } })],
  [
    '"every `aud` member is ours (an array is fine: openid-client 5.7 sends one)"',
    ({ sign, issuer }) => sign({ claims: { aud: [issuer, `${issuer}/token`] } }),
  ],
  [
    '"every `aud` member is ours": of another face',
    ({ sign, issuer }) => sign({ claims: { aud: [`${issuer}/oauth2/tokens`, `${issuer}/token/introspection`] } }),
  ],
  [
    '"`exp` at most 1 hour ahead (Authlib signs for 3600 s)"',
    ({ sign, now }) => sign({ claims: { iat: undefined, exp: now + 3600 } }),
  ],
  ['an exp with a fraction, which NumericDate allows', ({ sign, now }) => sign({ claims: { exp: now + 60.0625 } })],
  ['"`iat`/`nbf` up to 10 s ahead accepted"', ({ sign, now }) => sign({ claims: { iat: now + 10, nbf: now + 10 } })],
  ['its client_id beside it', ({ sign }) => sign(), { client_id: 'signer' }],
  ['RS256', ({ sign }) => sign({ header: { alg: 'RS256', kid: 'rsa' }, key: RSA })],
  ['PS256', ({ sign }) => sign({ header: { alg: 'PS256', kid: 'rsa' }, key: RSA })],
  ['EdDSA', ({ sign }) => sign({ header: { alg: 'EdDSA', kid: 'ed' }, key: ED })],
  ['no kid, where one key fits the algorithm', ({ sign }) => sign({ header: { alg: 'ES256' } })],
  ['the registered algorithm', ({ sign }) => sign({ client: 'fixed', header: { alg: 'RS256', kid: 'rsa' }, key: RSA })],
  [
    'client_secret_jwt: HS256',
    ({ sign }) => sign({ client: 'hmac', header: { alg: 'HS256' }, key: Buffer.from(HMAC_SECRET) }),
  ],
];

const REFUSED: Row[] = [
  ['"every `aud` member is ours": a foreign one', ({ sign }) => sign({ claims: { aud: 'https://elsewhere.example' } })],
  [
    '"every `aud` member is ours": a foreign one beside ours',
    ({ sign, issuer }) => sign({ claims: { aud: [issuer, 'https://elsewhere.example'] } }),
  ],
  ['an endpoint where no client authenticates', ({ sign, issuer }) => sign({ claims: { aud: `${issuer}/auth` } })],
  ['no aud', ({ sign }) => sign({ claims: { aud: undefined } })],
  ['an empty aud', ({ sign }) => sign({ claims: { aud: [] } })],
  ['an aud that is no string', ({ sign, issuer }) => sign({ claims: { aud: [[issuer]] } })],
  ['"`exp` at most 1 hour ahead": 3700 s', ({ sign, now }) => sign({ claims: { exp: now + 3700 } })],
  ['expired', ({ sign, now }) => sign({ claims: { iat: now - 60, exp: now - 1 } })],
  ['no exp', ({ sign }) => sign({ claims: { exp: undefined } })],
  ['an exp that is no number', ({ sign, now }) => sign({ claims: { exp: String(now + 60) } })],
  ['"`iat`/`nbf` … over 60 s refused": iat', ({ sign, now }) => sign({ claims: { iat: now + 75, exp: now + 120 } })],
  ['"`iat`/`nbf` … over 60 s refused": nbf', ({ sign, now }) => sign({ claims: { nbf: now + 75, exp: now + 120 } })],
  ['no jti', ({ sign }) => sign({ claims: { jti: undefined } })],
  ['an empty jti', ({ sign }) => sign({ claims: { jti: '' } })],
  ['a jti that is no string', ({ sign }) => sign({ claims: { jti: 7 } })],
  ['a jti of 300 characters', ({ sign }) => sign({ claims: { jti: 'j'.repeat(300) } })],
  ['iss of another', ({ sign }) => sign({ claims: { iss: 'fixed' } })],
  ['no iss', ({ sign }) => sign({ claims: { iss: undefined } })],
  ['sub of another', ({ sign }) => sign({ claims: { sub: 'fixed' } })],
  ['no sub', ({ sign }) => sign({ claims: { sub: undefined } })],
  ['of a client that nobody knows', ({ sign }) => sign({ client: 'nobody' })],
  ['of a name with half a character', ({ sign }) => sign({ client: 'signer\uD800' })],
  ['client_id of another', ({ sign }) => sign(), { client_id: 'fixed' }],
  ['"no `none`"', (place) => `${base64url({ alg: 'none' })}.${base64url(goodClaims(place))}.`],
  ['alg none under a signature', async (place) => (await place.sign()).replace(/^[^.]+/, base64url({ alg: 'none' }))],
  ['"no HS with a public key"', (place) => hs256({ kid: 'ec' }, goodClaims(place), pemOf(EC))],
  [
    'HS256 with the empty key, of a client that signs with its secret',
    (place) => hs256({}, goodClaims(place, 'hmac'), ''),
  ],
  ['client_secret_jwt, another secret', (place) => hs256({}, goodClaims(place, 'hmac'), PRESENTED_SECRET)],
  ['a key instead of the secret', ({ sign }) => sign({ client: 'hmac', header: { alg: 'ES256' } })],
  [
    '"client_secret_jwt …, HS256 for them only": HS512, though with its secret',
    ({ sign }) => sign({ client: 'hmac', header: { alg: 'HS512' }, key: Buffer.from(HMAC_SECRET.repeat(2)) }),
  ],
  ['"algorithm allow-list": not the registered one', ({ sign }) => sign({ client: 'fixed' })],
  [
    '"client_secret_jwt …, HS256 for them only": of a client that presents its secret',
    ({ sign }) => sign({ client: 'presenter', header: { alg: 'HS256' }, key: Buffer.from(PRESENTED_SECRET) }),
  ],
  ['of a public client', ({ sign }) => sign({ client: 'asker' })],
  [
    '"key looked up by `kid` from the registered JWKS": an unknown one',
    ({ sign }) => sign({ header: { alg: 'ES256', kid: 'other' } }),
  ],
  ['the kid of another kind of key', ({ sign }) => sign({ header: { alg: 'ES256', kid: 'rsa' } })],
  ['no kid, where two keys fit', ({ sign }) => sign({ client: 'twofold', header: { alg: 'ES256' } })],
  ['"key looked up … from the registered JWKS": one of somebody else', ({ sign }) => sign({ key: NOT_REGISTERED })],
  [
    'a key that it brings along, as jwk and as a URL',
    async ({ sign }) => {
      const header = { ...ES, jwk: await jwkOf(NOT_REGISTERED), jku: 'http://127.0.0.1:1/jwks' };
      return sign({ header, key: NOT_REGISTERED });
    },
  ],
  ['a kid that is no string', async ({ sign }) => sign({ header: { alg: 'ES256', kid: 5 as unknown as string } })],
  ['crit', async ({ sign }) => (await sign()).replace(/^[^.]+/, base64url({ ...ES, crit: ['b64'], b64: true }))],
  ['b64', ({ sign }) => sign({ header: { ...ES, b64: true } })],
  [
    'another payload under the signature',
    async (place) => {
      const [header, , signature] = (await place.sign()).split('.');
      return `${header}.${base64url(goodClaims(place))}.${signature}`;
    },
  ],
  ['no signature', async ({ sign }) => (await sign()).replace(/[^.]+$/, '')],
  ['one dot', async ({ sign }) => (await sign()).replace(/\.[^.]+$/, '')],
  ['no dot', ({ sign }) => sign().then((text) => text.replaceAll('.', ''))],
  ['a payload that is not JSON', () => `${base64url(ES)}.${base64url('not json')}.${'A'.repeat(86)}`],
  ['a header that is not JSON', (place) => `${base64url('{')}.${base64url(goodClaims(place))}.${'A'.repeat(86)}`],
  ['a payload that is an array', () => `${base64url(ES)}.${base64url([])}.${'A'.repeat(86)}`],
  [
    'a deeply nested payload',
    () => `${base64url(ES)}.${base64url('['.repeat(2500) + ']'.repeat(2500))}.${'A'.repeat(86)}`,
  ],
  ['a giant header', ({ sign }) => sign({ header: { ...ES, x5c: ['A'.repeat(5000)] }, key: NOT_REGISTERED })],
];

function refused(answer: BrowserResponse): void {
  expect([answer.status, answer.json()]).toEqual([
    400,
    { error: 'invalid_client', error_description: 'Client authentication failed.' },
  ]);
}

describe.each(databases)('client assertions on $name', (kind) => {
  let world: World;
  let other: Service;
  let keys: KeyServer;
  beforeAll(async () => {
    keys = await startKeyServer();
    const own = { grant_types: ['client_credentials'], scope: 'accounts:read' };
    const signing = { ...own, token_endpoint_auth_method: 'private_key_jwt' };
    const all = [await jwkOf(EC, 'ec'), await jwkOf(RSA, 'rsa'), await jwkOf(ED, 'ed')];
    world = await createWorld(kind, {
      env: { ADMIN_API_KEY, OUTBOUND_ALLOW_CLIENTS: '127.0.0.1' },
      configure: ({ clients = [], ...rest }) => ({
        ...rest,
        clients: [
          ...clients,
          { ...signing, client_id: 'signer', jwks: { keys: all } },
          { ...signing, client_id: 'fixed', token_endpoint_auth_signing_alg: 'RS256', jwks: { keys: all } },
          {
            ...signing,
            client_id: 'twofold',
            jwks: { keys: [all[0], { ...all[0], kid: 'another' }] },
          },
          { ...own, client_id: 'hmac', token_endpoint_auth_method: 'client_secret_jwt', client_secret: HMAC_SECRET },
          { ...own, client_id: 'presenter', client_secret: PRESENTED_SECRET },
          ...Object.entries(keys.urls).map(([client_id, jwks_uri]) => ({ ...signing, client_id, jwks_uri })),
        ],
      }),
    });
    for (const secret of [HMAC_SECRET, PRESENTED_SECRET]) world.ledger.add(secret, 'configured secret');
    other = kind.name === 'postgres' ? await world.startReplica() : world.service;
  });
  afterAll(async () => {
    await world.stop();
    await keys.close();
  });

  /** A good one of the client `signer`, but for what is said. */
  const sign = ({ client = 'signer', claims = {}, header = ES, key = EC }: How = {}): Promise<string> => {
    const wanted = Object.entries({ ...goodClaims(place(), client), ...claims });
    const payload = Object.fromEntries(wanted.filter(([, value]) => value !== undefined));
    return new SignJWT(payload).setProtectedHeader(header).sign(key);
  };
  function place(): Place {
    return { issuer: world.service.url, now: Math.floor(Date.now() / 1000), sign };
  }
  const present = (
    assertion: string,
    { path = '/token', at = world.service, form = {} }: Presentation = {},
  ): Promise<BrowserResponse> => {
    world.ledger.add(assertion, 'assertion');
    world.ledger.add(assertion.slice(assertion.lastIndexOf('.') + 1), 'signature of an assertion');
    return world.browser().request(at.url + path, {
      form: {
        grant_type: 'client_credentials',
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion,
        ...form,
      },
    });
  };
  const admin = (path: string, json: object): Promise<BrowserResponse> =>
    world.request(path, { method: 'POST', json, headers: { authorization: `Bearer ${ADMIN_API_KEY}` } });

  const by = (client: string, how: How = {}): Promise<BrowserResponse> =>
    sign({ client, ...how }).then((assertion) => present(assertion));
  const bySecret = (secret: string): Promise<BrowserResponse> =>
    present(hs256({}, goodClaims(place(), 'hmac'), secret), { at: other });

  it.each(ACCEPTED)('%s is accepted', async (_, make, form = {}) => {
    const answer = await present(await make(place()), { form });
    expect(answer.json()).toMatchObject({ scope: 'accounts:read', token_type: 'Bearer' });
    expect(answer.status).toBe(200);
  });

  it.each(REFUSED)('%s is refused, and nothing is stored', async (_, make, form = {}) => {
    const before = await stored(world);
    refused(await present(await make(place()), { form }));
    expect(await stored(world)).toEqual(before);
  });

  it('"One method per request"', async () => {
    const before = await stored(world);
    const secret = await present(await sign(), { form: { client_id: 'presenter', client_secret: PRESENTED_SECRET } });
    expect([secret.status, secret.json()['error']]).toEqual([400, 'invalid_request']);
    const assertion = await sign();
    world.ledger.add(assertion, 'assertion');
    const basic = await world.request('/token', {
      form: {
        grant_type: 'client_credentials',
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion,
      },
      headers: { authorization: `Basic ${Buffer.from(`presenter:${PRESENTED_SECRET}`).toString('base64')}` },
    });
    expect([basic.status, basic.json()['error']]).toEqual([400, 'invalid_request']);
    expect(await stored(world)).toEqual(before);
  });

  it('of a name with a NUL, which PostgreSQL cannot even look for, is refused like anything else that is wrong', async () => {
    const before = await stored(world);
    const answer = await present(await sign({ client: 'signer\0' }));
    expect([answer.status, ['invalid_client', 'invalid_request']]).toEqual([
      400,
      expect.arrayContaining([answer.json()['error']]),
    ]);
    expect(await stored(world)).toEqual(before);
  });

  it('longer than a parameter may be is refused', async () => {
    const answer = await present(await sign({ header: { ...ES, x5c: ['A'.repeat(20_000)] } }));
    expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_request']);
  });

  describe('"`jti` kept until `exp` and used once across replicas"', () => {
    it('at another process, and at another face', async () => {
      const assertion = await sign();
      expect((await present(assertion)).status).toBe(200);
      refused(await present(assertion, { at: other }));
      expect((await present(assertion, { at: other, path: '/oauth2/tokens' })).status).toBe(403);
    });

    it('twenty times at once', async () => {
      const before = (await stored(world)).length;
      const assertion = await sign();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => present(assertion, { at: index % 2 === 0 ? other : world.service })),
      );
      const statuses = answers.map(({ status }) => status).toSorted((one, another) => one - another);
      expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 400)]);
      expect(await stored(world)).toHaveLength(before + 1);
    });

    it('a jti belongs to its client, and a refused one is not used up', async () => {
      const jti = randomUUID();
      refused(await present(await sign({ claims: { jti }, key: NOT_REGISTERED })));
      expect((await present(await sign({ claims: { jti } }))).status).toBe(200);
      const fixed = { client: 'fixed', header: { alg: 'RS256', kid: 'rsa' }, key: RSA, claims: { jti } };
      expect((await present(await sign(fixed))).status).toBe(200);
      refused(await present(await sign({ claims: { jti } })));
    });
  });

  describe("at SlashID's face", () => {
    const path = '/oauth2/tokens';
    it('both token endpoints are audiences, and nothing of somebody else', async () => {
      const { issuer } = place();
      for (const aud of [issuer + path, [issuer, `${issuer}/token`]]) {
        const answer = await present(await sign({ claims: { aud } }), { path });
        expect([answer.status, answer.json()['token_type']]).toEqual([200, 'bearer']);
      }
      const before = await stored(world);
      const foreign = await present(await sign({ claims: { aud: [issuer, 'https://elsewhere.example'] } }), { path });
      expect([foreign.status, foreign.json()]).toEqual([
        403,
        { errors: [{ httpcode: 403, message: 'Client authentication failed.' }] },
      ]);
      expect(await stored(world)).toEqual(before);
    });
  });

  it.each([
    '/token/introspection',
    '/token/revocation',
    '/revoke',
    '/oauth2/tokens/introspect',
    '/oauth2/tokens/revoke',
  ])('%s is an audience, and so are the token endpoints there', async (path) => {
    const { issuer } = place();
    const form = { token: 'no-such-token' };
    for (const aud of [issuer + path, [issuer, `${issuer}/token`], `${issuer}/oauth2/tokens`]) {
      const answer = await present(await sign({ claims: { aud } }), { path, form });
      expect([200, 204]).toContain(answer.status);
    }
    const elsewhere = await present(await sign({ claims: { aud: `${issuer}/auth` } }), { path, form });
    expect([400, 401, 403]).toContain(elsewhere.status);
  });

  it('client_secret_jwt: "two may be valid while rotating", and they "are ciphertext"', async () => {
    const rotated = await admin('/admin/clients/hmac/rotate-secret', { previous_valid_for: 60 });
    const { client_secret: fresh } = rotated.json<{ client_secret: string }>();
    expect([(await bySecret(HMAC_SECRET)).status, (await bySecret(fresh)).status]).toEqual([200, 200]);
    const rows = await world.database.query("SELECT secret FROM client_secrets WHERE client_id = 'hmac'");
    expect(rows).toHaveLength(2);
    for (const { secret } of rows) expect(String(secret)).not.toContain(fresh);
    const none = await world.database.query("SELECT secret FROM client_secrets WHERE client_id = 'presenter'");
    expect(none).toEqual([{ secret: null }]);
    await admin('/admin/clients/hmac/rotate-secret', { previous_valid_for: 0 });
    refused(await bySecret(HMAC_SECRET));
    refused(await bySecret(fresh));
  });

  describe('jwks_uri', () => {
    it('is asked once, however many come at once, and an unknown kid is not worth another request so soon', async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => by('remote')));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect((await by('remote')).status).toBe(200);
      refused(await by('remote', { header: { alg: 'ES256', kid: 'unknown' } }));
      refused(await by('remote', { key: NOT_REGISTERED }));
      expect(keys.asked('remote')).toBe(1);
    });

    it('"2.5 s for metadata": one that hangs refuses its own client, and meanwhile the others are served', async () => {
      let ended = false;
      const hanging = by('hanging').finally(() => {
        ended = true;
      });
      await keys.requested('hanging');
      expect((await present(await sign())).status).toBe(200);
      expect(ended).toBe(false);
      refused(await hanging);
    });

    it.each(['redirecting', 'failing', 'broken', 'no-set', 'flooding'])(
      '"redirects not followed", "size cap": one that is %s refuses its client',
      async (client) => {
        const before = await stored(world);
        refused(await by(client));
        expect(keys.asked(client)).toBe(1);
        refused(await by(client));
        // Right after a failure nobody is asked again, so forged assertions cannot have us flood somebody.
        expect(keys.asked(client)).toBe(1);
        expect(keys.asked('remote-redirected')).toBe(0);
        expect(await stored(world)).toEqual(before);
      },
    );

    it.each(['private', 'private-https', 'metadata'])(
      '"private and link-local addresses refused": %s, without a connection',
      async (client) => {
        refused(await by(client));
        expect(keys.privateConnections()).toBe(0);
      },
    );
  });

  it('leaves no assertion, signature or secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});

interface KeyServer {
  urls: Record<string, string>;
  asked: (client: string) => number;
  requested: (client: string) => Promise<void>;
  privateConnections: () => number;
  close: () => Promise<void>;
}

/** Where clients publish their keys, each in its own way. */
async function startKeyServer(): Promise<KeyServer> {
  const counts = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  const set = JSON.stringify({ keys: [await jwkOf(EC, 'ec')] });
  const answers: Record<string, RequestListener> = {
    remote: (_, response) => response.end(set),
    'remote-redirected': (_, response) => response.end(set),
    hanging: () => undefined,
    redirecting: (_, response) => response.writeHead(302, { location: '/remote-redirected' }).end(set),
    failing: (_, response) => response.writeHead(404).end(set),
    broken: (_, response) => response.end(set.slice(1)),
    'no-set': (_, response) => response.end('{"keys":{}}'),
    flooding: (_, response) => response.end(set + ' '.repeat(65_536)),
  };
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    waiting.get(name)?.();
    answers[name]?.(request, response);
  });
  const origin = await listening(server, '127.0.0.1');
  let connections = 0;
  const hidden = createServer((_, response) => response.end(set)).on('connection', () => (connections += 1));
  const hiddenOrigin = await listening(hidden, '127.0.0.2');
  return {
    urls: {
      ...Object.fromEntries(Object.keys(answers).map((name) => [name, `${origin}/${name}`])),
      private: `${hiddenOrigin}/`,
      'private-https': `${hiddenOrigin.replace('http:', 'https:')}/`,
      metadata: 'http://169.254.169.254/latest',
    },
    asked: (client) => counts.get(client) ?? 0,
    requested: (client) =>
      counts.has(client)
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.set(client, resolve);
          }),
    privateConnections: () => connections,
    close: async () => {
      for (const each of [server, hidden]) {
        each.closeAllConnections();
        await new Promise((resolve) => {
          each.close(resolve);
        });
      }
    },
  };
}

async function listening(server: Server, host: string): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}
