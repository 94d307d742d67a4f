import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDeclarations, readConfigFile } from '../../../src/config/config-file.js';
import {
  identityProviderJsonSchema,
  InvalidEntry,
  parseIdentityProvider,
  sourceOf,
} from '../../../src/config/index.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Stands in every wrong value and must never be repeated. */
const PLANTED = 'planted-value';

const OIDC = { id: 'idp', issuer: 'https://idp.example', client_id: 'us', client_secret: PLANTED };
const OAUTH2 = {
  id: 'idp',
  type: 'oauth2',
  client_id: 'us',
  client_secret: PLANTED,
  endpoints: {
    authorization: 'https://idp.example/authorize',
    token: 'https://idp.example:8443/token',
    userinfo: 'https://idp.example/me',
  },
  claims: { sub: 'id' },
};
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const TENANT = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const PEM = KEY.export({ type: 'pkcs8', format: 'pem' }).toString();

function issuesOf(body: unknown): readonly { path: string; message: string }[] {
  try {
    parseIdentityProvider(body);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidEntry)) throw error;
    expect(error.message).not.toContain(PLANTED);
    return error.issues;
  }
}

describe('a wrong entry', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['no object', null, '', /object/],
    ['no id', { ...OIDC, id: undefined }, 'id', /^is required$/],
    ['an id that is no path segment', { ...OIDC, id: `../${PLANTED}` }, 'id', /^must have 1 to 64 letters/],
    ['no issuer', { ...OIDC, issuer: undefined }, 'issuer', /^is required$/],
    ['an unknown key', { ...OIDC, colour: PLANTED }, 'colour', /^is not known here$/],
    ['an unknown endpoint', { ...OIDC, endpoints: { tokne: PLANTED } }, 'endpoints.tokne', /^is not known here$/],
    ['an unknown preset', { ...OIDC, preset: PLANTED }, 'preset', /^must be one of apple, auth0, entra, github/],
    ['an unknown type', { ...OIDC, type: PLANTED }, 'type', /^must be oidc or oauth2$/],
    [
      'an endpoint that is no URL',
      { ...OIDC, endpoints: { token: PLANTED } },
      'endpoints.token',
      /^must be an absolute/,
    ],
    [
      'an endpoint that runs',
      { ...OIDC, endpoints: { authorization: 'javascript:x' } },
      'endpoints.authorization',
      /./,
    ],
    [
      'a claim of no meaning here',
      { ...OIDC, claims: { nickname: PLANTED } },
      'claims.nickname',
      /^is not known here$/,
    ],
    ['a path with a hole', { ...OIDC, claims: { name: 'a..b' } }, 'claims.name', /^must be a dotted path/],
    ['sub of an OpenID provider elsewhere', { ...OIDC, claims: { sub: 'uid' } }, 'claims.sub', /^must be left out/],
    ['scopes without openid', { ...OIDC, scope: 'profile' }, 'scope', /^must include openid$/],
    ['tenants without their issuer', { ...OIDC, tenants: [TENANT] }, 'tenants', /^must be left out/],
    ['tenants of oauth2', { ...OAUTH2, tenants: [TENANT] }, 'tenants', /^must be left out where type is oauth2$/],
    [
      'tenants of oauth2 and their issuer',
      { ...OAUTH2, issuer: 'https://idp.example/{tenantid}', tenants: [TENANT] },
      'tenants',
      /^must be left out where type is oauth2$/,
    ],
    [
      'oauth2 whose issuer is per tenant',
      { ...OAUTH2, issuer: 'https://idp.example/{tenantid}' },
      'issuer',
      /^must not hold \{tenantid\} where type is oauth2$/,
    ],
    [
      'an issuer of tenants without tenants',
      { ...OIDC, issuer: 'https://idp.example/{tenantid}' },
      'tenants',
      /^is required/,
    ],
    [
      'a tenant that is more',
      { ...OIDC, tenants: [`${PLANTED}/../x`] },
      'tenants.0',
      /^must be the id of a tenant, a GUID$/,
    ],
    [
      'a tenant by its domain',
      { ...OIDC, tenants: ['contoso.example'] },
      'tenants.0',
      /^must be the id of a tenant, a GUID$/,
    ],
    ['a lifetime of nothing', { ...OIDC, access_token_lifetime: 0 }, 'access_token_lifetime', /./],
    [
      'an idle lifetime that is too short to keep to',
      { ...OIDC, refresh_token_idle_lifetime: 59 },
      'refresh_token_idle_lifetime',
      /^must be at least 60$/,
    ],
    ['a retention of minutes', { ...OIDC, retention: { idle: 3599 } }, 'retention.idle', /^must be at least 3600/],
    ['a retention in words', { ...OIDC, retention: { absolute: PLANTED } }, 'retention.absolute', /^must be a number/],
    ['a retention of something else', { ...OIDC, retention: { days: 1 } }, 'retention.days', /^is not known here$/],
    [
      'a secret method without secret',
      { ...OIDC, client_secret: undefined, token_endpoint_auth_method: 'client_secret_post' },
      'client_secret',
      /^is required where/,
    ],
    [
      'private_key_jwt without key',
      { ...OIDC, token_endpoint_auth_method: 'private_key_jwt' },
      'private_key',
      /^is required/,
    ],
    ['a private key that is none', { ...OIDC, private_key: PLANTED }, 'private_key', /^must be a private key, in PEM/],
    [
      'a public key for one',
      { ...OIDC, private_key: JSON.stringify({ kty: 'EC', crv: 'P-256', x: PLANTED }) },
      'private_key',
      /./,
    ],
    ['a team without key', { ...OIDC, team_id: 'T' }, 'private_key', /^is required/],
    ['a team without the id of its key', { ...OIDC, team_id: 'T', private_key: PEM }, 'private_key_id', /^is required/],
    ['oauth2 without subject', { ...OAUTH2, claims: {} }, 'claims.sub', /^is required where type is oauth2$/],
    [
      'oauth2 without endpoints',
      { ...OAUTH2, endpoints: {} },
      'endpoints.authorization',
      /^is required where type is oauth2$/,
    ],
    [
      "a preset's secret at another issuer without its endpoints",
      {
        id: 'ghe',
        preset: 'github',
        issuer: 'https://ghe.example/login/oauth',
        client_id: 'us',
        client_secret: PLANTED,
      },
      'endpoints.token',
      /^is required where type is oauth2 and the issuer is not the preset's$/,
    ],
    [
      'okta without domain',
      { id: 'o', preset: 'okta', client_id: 'us', client_secret: 'x' },
      'domain',
      /^is required by this preset/,
    ],
    [
      'a domain with more than a host',
      { id: 'o', preset: 'okta', domain: 'a.example/x?', client_id: 'us', client_secret: 'x' },
      'domain',
      /^must be a host name/,
    ],
    [
      'entra without tenants',
      { id: 'e', preset: 'entra', client_id: 'us', client_secret: 'x' },
      'tenants',
      /^is required/,
    ],
    [
      'keycloak without issuer',
      { id: 'k', preset: 'keycloak', client_id: 'us', client_secret: 'x' },
      'issuer',
      /^is required$/,
    ],
    [
      'apple without key or secret',
      { id: 'a', preset: 'apple', client_id: 'us' },
      'client_secret',
      /unless team_id, private_key/,
    ],
  ])('%s', (_what, body, path, message) => {
    expect(issuesOf(body)).toContainEqual({ path, message: expect.stringMatching(message) as string });
  });

  it('names all that is wrong at once, and in CONFIG_FILE the entry', () => {
    expect(issuesOf({ ...OAUTH2, endpoints: {}, claims: {} }).map(({ path }) => path)).toEqual([
      'endpoints.authorization',
      'endpoints.token',
      'endpoints.userinfo',
      'claims.sub',
    ]);
    expect(() => parseDeclarations({ identity_providers: [{ ...OAUTH2, claims: {} }] }, 'c.yaml')).toThrow(
      /identity_providers\[idp\]\.claims\.sub is required where type is oauth2/,
    );
    expect(() => parseDeclarations({ identity_providers: [{ ...OIDC, endpoints: { tokne: 'x' } }] }, 'c.yaml')).toThrow(
      /identity_providers\[idp\]\.endpoints: unknown key tokne/,
    );
  });
});

describe('an entry', () => {
  it('of an OpenID provider needs little, and means what it meant before there were other types', () => {
    expect(parseIdentityProvider(OIDC)).toMatchObject({
      type: 'oidc',
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'openid profile email offline_access',
      offline_access: false,
      sign_up: false,
      trust_verified_email: false,
      response_mode: 'query',
    });
    expect(parseIdentityProvider({ ...OIDC, client_secret: undefined }).token_endpoint_auth_method).toBe('none');
  });

  it('with a team signs its client secret, unless it says otherwise', () => {
    const team = { ...OIDC, client_secret: undefined, team_id: 'T', private_key: PEM, private_key_id: 'K' };
    expect(parseIdentityProvider(team).token_endpoint_auth_method).toBe('client_secret_post');
    const otherwise = { ...team, token_endpoint_auth_method: 'private_key_jwt' };
    expect(parseIdentityProvider(otherwise).token_endpoint_auth_method).toBe('private_key_jwt');
  });

  it('of an OAuth 2 provider keeps its subjects under the origin of its token endpoint', () => {
    expect(parseIdentityProvider(OAUTH2)).toMatchObject({ issuer: 'https://idp.example:8443', scope: '' });
    expect(parseIdentityProvider({ ...OAUTH2, issuer: 'https://idp.example' }).issuer).toBe('https://idp.example');
  });

  it.each([
    ['PEM', PEM],
    ['a JWK', JSON.stringify({ ...KEY.export({ format: 'jwk' }), kid: 'k1' })],
  ])('may hold a private key as %s, which is never printed', (_what, key) => {
    const entry = parseIdentityProvider({ ...OIDC, client_secret: undefined, private_key: key });
    expect(entry.token_endpoint_auth_method).toBe('private_key_jwt');
    expect(JSON.stringify(entry)).toContain('"private_key":"[redacted]"');
  });

  it('may take its private key from a file', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'key.pem'), PEM);
    const { client_secret: _, ...entry } = OIDC;
    const config = { identity_providers: [{ ...entry, private_key_file: 'key.pem', private_key_id: 'k' }] };
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
    const { identity_providers } = readConfigFile(join(directory, 'config.json'), {});
    expect(identity_providers[0]?.private_key?.reveal()).toBe(PEM.trimEnd());
  });

  it('is remembered as it was written, whatever a preset fills in', () => {
    const source = { id: 'gh', preset: 'github', client_id: 'us', client_secret: 'x' };
    const { identity_providers } = parseDeclarations({ identity_providers: [source] });
    expect(identity_providers.map(sourceOf)).toEqual([source]);
  });

  it('has a JSON Schema of what may be written', () => {
    const schema = identityProviderJsonSchema();
    expect(schema).toMatchObject({ type: 'object', required: ['id', 'client_id'], additionalProperties: false });
    expect(schema).toHaveProperty('properties.tenants.description', expect.stringContaining('admitted'));
    expect(Object.keys(schema['properties'] as object)).toEqual(
      expect.arrayContaining(['preset', 'endpoints', 'claims', 'tenants', 'private_key', 'access_token_lifetime']),
    );
  });
});

describe('a preset', () => {
  const us = { client_id: 'us', client_secret: 'secret' };

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'google',
      {},
      {
        issuer: 'https://accounts.google.com',
        authorization_parameters: { access_type: 'offline', prompt: 'consent', include_granted_scopes: 'true' },
      },
    ],
    ['gitlab', {}, { issuer: 'https://gitlab.com', scope: 'openid profile email' }],
    [
      'okta',
      { domain: 'dev-1.okta.example' },
      { issuer: 'https://dev-1.okta.example', client_assertion_audience: 'token_endpoint' },
    ],
    ['auth0', { domain: 'us.auth0.example' }, { issuer: 'https://us.auth0.example/' }],
    [
      'keycloak',
      { issuer: 'https://kc.example/realms/r' },
      { issuer: 'https://kc.example/realms/r', scope: 'openid profile email offline_access' },
    ],
    [
      'entra',
      { tenants: [TENANT.toUpperCase()] },
      { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0', tenants: [TENANT] },
    ],
    [
      'entra',
      { issuer: `https://login.microsoftonline.com/${TENANT}/v2.0` },
      { issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`, tenants: [] },
    ],
    [
      'entra',
      { tenants: [TENANT], token_endpoint_auth_method: 'private_key_jwt', private_key: PEM },
      { token_endpoint_auth_method: 'private_key_jwt', client_assertion_audience: 'token_endpoint' },
    ],
    [
      'apple',
      { client_secret: undefined, team_id: 'T', private_key: PEM, private_key_id: 'K' },
      {
        issuer: 'https://appleid.apple.com',
        response_mode: 'form_post',
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    [
      'github',
      {},
      {
        type: 'oauth2',
        access_token_lifetime: 'none',
        claims: { sub: 'id', preferred_username: 'login', picture: 'avatar_url' },
      },
    ],
  ])('%s with %j', (preset, entry, expected) => {
    expect(parseIdentityProvider({ id: 'p', preset, ...us, ...entry })).toMatchObject({
      preset,
      offline_access: true,
      ...expected,
    });
  });

  it.each([
    ['google', 180],
    ['auth0', 15],
    ['keycloak', 30],
    ['okta', 7],
  ])('%s knows that unused refresh tokens live for %d days there', (preset, days) => {
    const entry = { id: 'p', preset, ...us, issuer: 'https://idp.example' };
    expect(parseIdentityProvider(entry).refresh_token_idle_lifetime).toBe(days * 86_400);
    const shorter = { ...entry, refresh_token_idle_lifetime: 3600 };
    expect(parseIdentityProvider(shorter).refresh_token_idle_lifetime).toBe(3600);
  });

  it('fills in what the entry leaves out; the entry wins, member by member', () => {
    const entry = {
      id: 'ghe',
      preset: 'github',
      ...us,
      name: 'Our GitHub',
      scope: 'repo',
      endpoints: { userinfo: 'https://ghe.example/api/v3/user' },
      claims: { name: 'profile.name' },
      access_token_lifetime: 28_800,
      token_endpoint_auth_method: 'client_secret_basic',
    };
    expect(parseIdentityProvider(entry)).toMatchObject({
      name: 'Our GitHub',
      scope: 'repo',
      access_token_lifetime: 28_800,
      token_endpoint_auth_method: 'client_secret_basic',
      endpoints: {
        token: 'https://github.com/login/oauth/access_token',
        userinfo: 'https://ghe.example/api/v3/user',
        emails: 'https://ghe.example/api/v3/user/emails',
      },
      claims: { sub: 'id', name: 'profile.name' },
    });
    const { authorization, token } = OAUTH2.endpoints;
    const elsewhere = { issuer: 'https://ghe.example', endpoints: { ...entry.endpoints, authorization, token } };
    expect(parseIdentityProvider({ ...entry, ...elsewhere }).endpoints).toEqual({
      ...elsewhere.endpoints,
      emails: 'https://ghe.example/api/v3/user/emails',
    });
    expect(
      parseIdentityProvider({
        id: 'g',
        preset: 'google',
        ...us,
        authorization_parameters: { prompt: 'select_account' },
      }).authorization_parameters,
    ).toMatchObject({ prompt: 'select_account', access_type: 'offline' });
  });
});
