import type { JWK } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/common/secret.js';
import type { IdentityProvider } from '../../../src/identity-providers/identity-provider.js';
import { OutboundClient } from '../../../src/identity-providers/outbound-client.js';
import type { TokenResponse } from '../../../src/identity-providers/token-response.js';
import { UpstreamClient } from '../../../src/identity-providers/upstream-client.js';
import {
  directoryEntry,
  NOW,
  oauth2Entry,
  ProviderServer,
  sendJson,
  signingKey,
  SteppedClock,
  upstreamFailure,
  type Changes,
  type SigningKey,
} from './provider-server.js';

let key: SigningKey;
let server: ProviderServer;
let outbound: OutboundClient;

beforeAll(async () => {
  key = await signingKey('k1');
});

beforeEach(async () => {
  server = await ProviderServer.start(key);
  outbound = new OutboundClient({ allow: ['127.0.0.1'] });
});

afterEach(async () => {
  await outbound.close();
  await server.close();
});

function client(provider: IdentityProvider): UpstreamClient {
  return new UpstreamClient(provider, outbound, new SteppedClock(), { tokenTimeoutMs: 500 });
}

function tokens(idToken?: string): TokenResponse {
  return {
    accessToken: new Secret('at-SECRET'),
    tokenType: 'Bearer',
    expiresInSeconds: 300,
    refreshToken: undefined,
    idToken: idToken === undefined ? undefined : new Secret(idToken),
    scope: undefined,
    receivedAt: NOW,
  };
}

const userinfo = (claims: unknown): void => {
  server.answers['/me'] = (response) => sendJson(response, claims);
};

const byIdToken = async (changes: Changes = {}, entry: Partial<IdentityProvider> = {}, profile = {}) =>
  client(directoryEntry(server.issuer, entry)).identify(tokens(await server.idToken(key, { nonce: 'n', ...changes })), {
    nonce: 'n',
    profile,
  });

describe('an OpenID provider', () => {
  it('proves the user by its id_token, and asks userinfo for what that leaves out', async () => {
    userinfo({ sub: 'alice', name: 'Alice', email: 'alice@x.example', email_verified: true });
    expect(await byIdToken({ auth_time: 7 })).toMatchObject({
      issuer: server.issuer,
      subject: 'alice',
      authTime: 7,
      claims: { sub: 'alice', name: 'Alice', email: 'alice@x.example', email_verified: true },
    });
    await byIdToken({ name: 'Alice', email: 'a@x.example' });
    expect(server.countOf('/me')).toBe(1);
  });

  it.each([
    [7, 7],
    [1.5, 1],
    [NOW / 1000 + 10, NOW / 1000 + 10],
    [NOW / 1000 + 11, undefined],
    [1e300, undefined],
    [-1, undefined],
    ['7', undefined],
  ])('proves when the user signed in there, if that can have been: %j', async (said, expected) => {
    expect((await byIdToken({ auth_time: said })).authTime).toBe(expected);
  });

  it.each([
    ['control characters', 'al\u0000ice'],
    ['half a character', 'alice\ud800'],
    ['more than any index takes', 'x'.repeat(256)],
  ])('may not name a subject of %s', async (_what, sub) => {
    expect((await upstreamFailure(byIdToken({ sub }))).kind).toBe('rejected');
  });

  it('has said nothing where what it said cannot be kept', async () => {
    userinfo({ sub: 'alice', name: 'A\u0000', given_name: 'Al\nice', groups: ['g', 'h'] });
    const { claims } = await byIdToken({
      email: 'a\u0007@x.example',
      email_verified: true,
      family_name: 'A\udc00',
      entitlements: Array.from({ length: 201 }, String),
    });
    expect(claims.email).toBeUndefined();
    expect(claims).toMatchObject({ sub: 'alice', groups: ['g', 'h'] });
    for (const name of ['name', 'given_name', 'family_name', 'email', 'email_verified', 'entitlements'])
      expect(claims).not.toHaveProperty(name);
  });

  it.each<[string, unknown]>([
    ['text', 'admins'],
    ['nested', ['g', ['h']]],
    ['deep', { a: { b: { c: ['g'] } } }],
    ['too long', ['x'.repeat(501)]],
    ['of control characters', ['g\u0000']],
  ])('has no groups where they are %s', async (_what, groups) => {
    userinfo({ sub: 'alice', roles: groups });
    expect((await byIdToken({ groups }, { claims: { entitlements: 'roles' } })).claims).not.toHaveProperty('groups');
    const { claims } = await byIdToken({}, { claims: { entitlements: 'roles' } });
    expect(claims).not.toHaveProperty('entitlements');
  });

  it('must have given one', async () => {
    userinfo({ sub: 'alice' });
    const failure = await upstreamFailure(client(directoryEntry(server.issuer)).identify(tokens(), { nonce: 'n' }));
    expect(failure.kind).toBe('rejected');
    expect((await upstreamFailure(byIdToken({ nonce: 'another' }))).kind).toBe('rejected');
  });

  it('is believed when it has no userinfo to add, or none for this token, but not about somebody else', async () => {
    expect((await byIdToken()).claims).toMatchObject({ sub: 'alice' });
    server.answers['/me'] = (response) => response.writeHead(401).end();
    expect((await byIdToken()).claims).toMatchObject({ sub: 'alice' });
    server.answers['/me'] = () => undefined;
    expect((await byIdToken()).claims).toMatchObject({ sub: 'alice' });
    userinfo({ sub: 'mallory', name: 'Alice' });
    expect((await upstreamFailure(byIdToken())).kind).toBe('rejected');
  });

  it('takes the flag from where the address is', async () => {
    userinfo({ sub: 'alice', name: 'A', email: 'a@x.example' });
    expect((await byIdToken({ email_verified: true })).claims.email_verified).toBeUndefined();
    userinfo({ sub: 'alice', name: 'A', email: 'other@x.example', email_verified: true });
    expect((await byIdToken({ email: 'a@x.example' })).claims).toMatchObject({ email: 'a@x.example' });
    expect((await byIdToken({ email: 'a@x.example' })).claims.email_verified).toBeUndefined();
  });

  it.each([
    [true, true],
    ['true', true],
    ['false', undefined],
    [false, false],
    ['TRUE', undefined],
    [1, undefined],
  ])('may say email_verified: %j', async (said, expected) => {
    const { claims } = await byIdToken({ name: 'A', email: 'a@x.example', email_verified: said });
    expect(claims.email_verified).toBe(expected);
  });

  it('may keep claims elsewhere: at a path, or under a name with dots in it', async () => {
    userinfo({ sub: 'alice', profile: { display: 'Alice A.' } });
    const { claims } = await byIdToken(
      { 'https://x.example/groups': ['g'], email: 'a@x.example', name: 'no' },
      { claims: { name: 'profile.display', groups: 'https://x.example/groups' } },
    );
    expect(claims).toMatchObject({ name: 'Alice A.', groups: ['g'], sub: 'alice' });
  });

  it('has verified only the address that it calls so', async () => {
    userinfo({ sub: 'alice' });
    const said = { upn: 'ceo@victim.example', email: 'mallory@x.example', email_verified: true, name: 'M' };
    const { claims } = await byIdToken(said, { claims: { email: 'upn' } });
    expect(claims.email).toBe('ceo@victim.example');
    expect(claims.email_verified).toBeUndefined();
    const both = await byIdToken({ ...said, upn_ok: true }, { claims: { email: 'upn', email_verified: 'upn_ok' } });
    expect(both.claims.email_verified).toBe(true);
  });

  it('may leave the name to what came beside the code, and nothing else', async () => {
    userinfo({ sub: 'alice' });
    const posted = { name: 'Alice', given_name: 'A', email: 'victim@x.example', email_verified: true, sub: 'victim' };
    const { claims, subject } = await byIdToken({}, {}, posted);
    expect({ ...claims, subject }).toMatchObject({ sub: 'alice', subject: 'alice', name: 'Alice', given_name: 'A' });
    expect(claims.email).toBeUndefined();
    expect(claims.email_verified).toBeUndefined();
    expect((await byIdToken({ name: 'Said', email: 'a@x.example' }, {}, posted)).claims.name).toBe('Said');
  });
});

const byUserinfo = (changes: Partial<IdentityProvider> = {}, idToken?: string) =>
  client(oauth2Entry(server.issuer, changes)).identify(tokens(idToken), { nonce: 'n' });
const withEmails = () =>
  byUserinfo({ endpoints: { ...oauth2Entry(server.issuer).endpoints, emails: `${server.issuer}/me/emails` } });

describe('an OAuth 2 provider', () => {
  it('needs no discovery and no id_token: its userinfo endpoint says who it is', async () => {
    userinfo({ id: 583_231, login: 'octocat', name: null, avatar: { url: 'https://x.example/a.png' } });
    const claims = { sub: 'id', preferred_username: 'login', picture: 'avatar.url' };
    expect(await byUserinfo({ claims, issuer: 'https://api.example' })).toEqual({
      issuer: 'https://api.example',
      subject: '583231',
      authTime: undefined,
      claims: expect.objectContaining({
        sub: '583231',
        preferred_username: 'octocat',
        picture: 'https://x.example/a.png',
      }) as object,
    });
    expect(server.received.map(({ path }) => path)).toEqual(['/me']);
    expect(server.received.at(0)?.headers.authorization).toBe('Bearer at-SECRET');
  });

  it('is not believed for an id_token that nobody can verify', async () => {
    userinfo({ sub: 'alice' });
    const forged = await server.idToken(await signingKey('k1'), { sub: 'mallory' });
    expect((await byUserinfo({}, forged)).subject).toBe('alice');
  });

  it.each<[string, unknown]>([
    ['nobody', {}],
    ['an empty name', { sub: '' }],
    ['null', { sub: null }],
    ['a truth', { sub: true }],
    ['an object', { sub: { id: 1 } }],
    ['a list', { sub: ['alice'] }],
    ['a fraction', { sub: 1.5 }],
    ['a control character', { sub: 'al\u0000ice' }],
    ['more than any index takes', { sub: 'x'.repeat(256) }],
  ])('that names %s is rejected', async (_what, said) => {
    userinfo(said);
    expect((await upstreamFailure(byUserinfo())).kind).toBe('rejected');
  });

  it('that names a number too large to be told from its neighbour is rejected', async () => {
    server.answers['/me'] = (response) => response.end('{"sub":9007199254740993}');
    expect((await upstreamFailure(byUserinfo())).kind).toBe('rejected');
    userinfo({ sub: '9007199254740993' });
    expect((await byUserinfo()).subject).toBe('9007199254740993');
  });

  it('cannot be made to speak of what it did not say', async () => {
    userinfo({ sub: 'alice' });
    expect((await byUserinfo({ claims: { sub: 'sub', name: 'constructor.name', email: '__proto__' } })).claims).toEqual(
      {
        sub: 'alice',
      },
    );
  });

  it.each<[string, string, ProviderServer['answers'][string]]>([
    ['refuses the token', 'rejected', (response) => response.writeHead(401).end()],
    ['fails', 'unavailable', (response) => response.writeHead(500, { 'retry-after': '9' }).end()],
    ['is throttled', 'unavailable', (response) => response.writeHead(429, { 'retry-after': '9' }).end()],
    ['is throttled as by GitHub', 'unavailable', (response) => response.writeHead(403, { 'retry-after': '9' }).end()],
    [
      'has no more for us',
      'unavailable',
      (response) => response.writeHead(403, { 'x-ratelimit-remaining': '0' }).end(),
    ],
    ['has more for us', 'rejected', (response) => response.writeHead(403, { 'x-ratelimit-remaining': '1' }).end()],
    ['hangs', 'unavailable', () => undefined],
    ['drops the answer', 'unavailable', (response) => response.socket?.destroy()],
    ['sends garbage', 'unavailable', (response) => response.end('<html>')],
    ['sends a list', 'unavailable', (response) => sendJson(response, [{ sub: 'alice' }])],
    ['sends 10 MB', 'unavailable', (response) => sendJson(response, { sub: 'alice', pad: 'x'.repeat(10_000_000) })],
    ['redirects', 'unavailable', (response) => response.writeHead(302, { location: '/elsewhere' }).end()],
  ])('whose userinfo %s is %s', async (_what, kind, answer) => {
    server.answers['/me'] = answer;
    const failure = await upstreamFailure(byUserinfo());
    expect(failure.kind).toBe(kind);
    expect(failure.message).not.toContain('SECRET');
    expect(server.countOf('/elsewhere')).toBe(0);
  });

  it.each<[string, Partial<IdentityProvider['endpoints']>]>([
    ['private', { userinfo: 'https://10.9.9.9/me' }],
    ['plaintext', { token: 'http://10.9.9.9/token' }],
    ['no URL', { authorization: '/authorize' }],
  ])('whose endpoint is %s is misconfigured', async (_what, changes) => {
    const { endpoints } = oauth2Entry(server.issuer);
    const failure = await upstreamFailure(byUserinfo({ endpoints: { ...endpoints, ...changes } }));
    expect(failure.kind).toBe('misconfigured');
    expect(server.received).toEqual([]);
  });

  describe('with addresses apart', () => {
    it.each<[string, unknown, object]>([
      [
        'the primary one counts, if it is verified',
        [
          { email: 'old@x.example', primary: false, verified: true },
          { email: 'alice@x.example', primary: true, verified: true },
        ],
        { email: 'alice@x.example', email_verified: true },
      ],
      [
        'an unverified one does not',
        [{ email: 'b@x.example', primary: true, verified: false }],
        { email: 'public@x.example' },
      ],
      [
        'nor one that only claims to be',
        [{ email: 'b@x.example', primary: true, verified: 'yes' }],
        { email: 'public@x.example' },
      ],
      [
        'nor something else',
        [null, 'b@x.example', { primary: true, verified: true, email: 7 }],
        { email: 'public@x.example' },
      ],
      [
        'nor a list that is none',
        { email: 'b@x.example', primary: true, verified: true },
        { email: 'public@x.example' },
      ],
    ])('%s', async (_what, emails, expected) => {
      userinfo({ sub: 'alice', email: 'public@x.example' });
      server.answers['/me/emails'] = (response) => sendJson(response, emails);
      expect((await withEmails()).claims).toEqual({ sub: 'alice', ...expected });
    });

    it.each([401, 403, 404, 500])('a refusal (%s) costs the address, not the sign-in', async (status) => {
      userinfo({ sub: 'alice' });
      server.answers['/me/emails'] = (response) => response.writeHead(status).end();
      expect((await withEmails()).claims).toEqual({ sub: 'alice' });
    });
  });
});

/** Microsoft's extension of a key set. */
const withIssuer = (jwk: JWK, issuer: string): JWK => Object.assign({}, jwk, { issuer });

const [OURS, THEIRS] = ['8eaef023-2b34-4da1-9baa-8bc8c9d6a490', 'adfee0f7-1b4a-4a3f-8c11-5d2f1c9a7e01'];
const tenantEntry = (changes: Partial<IdentityProvider> = {}) =>
  directoryEntry(`${server.issuer}/{tenantid}/v2.0`, { tenants: [OURS, 'third'], ...changes });
const tenantToken = (tenant: string, changes: Changes = {}) =>
  server.idToken(key, {
    iss: `${server.issuer}/${tenant}/v2.0`,
    tid: tenant,
    nonce: 'n',
    name: 'A',
    email: 'a@x',
    ...changes,
  });
const ofTenants = async (idToken: Promise<string>, changes: Partial<IdentityProvider> = {}) =>
  client(tenantEntry(changes)).identify(tokens(await idToken), { nonce: 'n' });
const checkOffline = async (idToken: Promise<string>) =>
  client(tenantEntry()).checkIdTokenOffline(new Secret(await idToken), { subject: 'alice' });

describe('a provider whose tenants have issuers of their own', () => {
  let theirKey: SigningKey;

  beforeAll(async () => {
    theirKey = await signingKey('theirs');
  });

  beforeEach(() => {
    Object.assign(server.metadata, { issuer: `${server.issuer}/{tenantid}/v2.0` });
    for (const any of ['organizations', 'common']) {
      server.answers[`/${any}/v2.0/.well-known/openid-configuration`] = (response) =>
        sendJson(response, server.metadata);
    }
  });

  it('admits users of the listed tenants, each with the issuer of its own', async () => {
    expect(await ofTenants(tenantToken(OURS))).toMatchObject({
      issuer: `${server.issuer}/${OURS}/v2.0`,
      subject: 'alice',
    });
    expect(server.received.at(0)?.path).toBe('/organizations/v2.0/.well-known/openid-configuration');
  });

  it('asks the metadata that includes personal accounts where those are admitted', async () => {
    const tenants = [OURS, '9188040d-6c67-4b5b-b112-36a304b66dad'];
    await client(tenantEntry({ tenants })).metadata();
    expect(server.received.at(0)?.path).toBe('/common/v2.0/.well-known/openid-configuration');
  });

  it.each<[string, () => Promise<string>]>([
    ['a tenant that is not listed', () => tenantToken(THEIRS)],
    ['a listed tenant that another one speaks for', () => tenantToken(THEIRS, { tid: OURS })],
    ['a tenant that speaks for a listed one', () => tenantToken(OURS, { tid: THEIRS })],
    ['no tenant', () => tenantToken(OURS, { tid: undefined })],
    ['a tenant that is no string', () => tenantToken(OURS, { tid: [OURS] })],
    ['the template itself', () => tenantToken('{tenantid}')],
    ['another host', () => tenantToken(OURS, { iss: `https://attacker.example/${OURS}/v2.0` })],
    ['no issuer', () => tenantToken(OURS, { iss: undefined })],
  ])('rejects %s', async (_what, idToken) => {
    expect((await upstreamFailure(ofTenants(idToken()))).kind).toBe('rejected');
  });

  it('rejects a key that another issuer signs with', async () => {
    const signedBy = (issuer: string): SigningKey => ({
      ...theirKey,
      publicJwk: withIssuer(theirKey.publicJwk, issuer),
    });
    const claims = { iss: `${server.issuer}/${OURS}/v2.0`, tid: OURS, nonce: 'n', name: 'A', email: 'a@x' };
    server.keys = [key, signedBy(`${server.issuer}/${THEIRS}/v2.0`)];
    expect((await upstreamFailure(ofTenants(server.idToken(theirKey, claims)))).kind).toBe('rejected');
    server.keys = [signedBy(`${server.issuer}/{tenantid}/v2.0`)];
    expect((await ofTenants(server.idToken(theirKey, claims))).subject).toBe('alice');
  });

  it('refuses metadata for another issuer', async () => {
    server.metadata['issuer'] = `${server.issuer}/${THEIRS}/v2.0`;
    expect((await upstreamFailure(client(tenantEntry()).metadata())).kind).toBe('misconfigured');
  });

  it('knows a token of a listed tenant without the network', async () => {
    expect(await checkOffline(tenantToken(OURS))).toBe('match');
    expect(await checkOffline(tenantToken(THEIRS))).toBe('mismatch');
    expect(await checkOffline(tenantToken(OURS, { iss: undefined }))).toBe('mismatch');
  });
});
