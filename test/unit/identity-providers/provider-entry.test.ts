import { describe, expect, it } from 'vitest';
import { InvalidEntry, parseIdentityProvider } from '../../../src/config/index.js';
import { isIssuerOf, type IdentityProvider } from '../../../src/identity-providers/identity-provider.js';
import { readProvider, toProvider } from '../../../src/identity-providers/provider-entry.js';

const [A, B] = ['8eaef023-2b34-4da1-9baa-8bc8c9d6a490', 'adfee0f7-1b4a-4a3f-8c11-5d2f1c9a7e01'];
const BODY = { id: 'idp', issuer: 'https://idp.example', client_id: 'us' };
const stored: IdentityProvider = { ...readProvider({ ...BODY, client_secret: 'the secret' }), version: '1' };

describe('an entry', () => {
  it('becomes what the directory keeps, every setting of it', () => {
    const entry = parseIdentityProvider({
      ...BODY,
      name: 'The IdP',
      issuer: 'https://idp.example/{tenantid}',
      client_secret: 'the secret',
      private_key_id: 'k',
      tenants: [A, B],
      endpoints: { token: 'https://idp.example/token' },
      claims: { name: 'cn' },
      trust_verified_email: true,
      access_token_lifetime: 60,
      refresh_token_idle_lifetime: 86_400,
      retention: { idle: 7200 },
      response_mode: 'form_post',
      client_assertion_audience: 'token_endpoint',
      sign_up: ['example.com'],
    });
    const provider = toProvider(entry);
    expect(provider).toMatchObject({
      displayName: 'The IdP',
      tenants: [A, B],
      endpoints: { token: 'https://idp.example/token' },
      claims: { name: 'cn' },
      trustVerifiedEmail: true,
      accessTokenLifetime: 60,
      refreshTokenIdleLifetime: 86_400,
      retention: { idle: 7200 },
      responseMode: 'form_post',
      clientAssertionAudience: 'token_endpoint',
      privateKeyId: 'k',
      signUp: ['example.com'],
    });
    expect(provider.clientSecret?.reveal()).toBe('the secret');
    const whole = { ...provider, version: '1' };
    expect(isIssuerOf(whole, `https://idp.example/${B}`)).toBe(true);
    expect(isIssuerOf(whole, 'https://idp.example/11111111-2222-3333-4444-555555555555')).toBe(false);
    expect(isIssuerOf(whole, 'https://idp.example/{tenantid}')).toBe(false);
  });
});

describe('an entry that replaces another', () => {
  it('keeps the secret that it leaves out, and the method that goes with it', () => {
    const provider = readProvider({ ...BODY, name: 'New name', scope: 'openid' }, stored);
    expect(provider.clientSecret?.reveal()).toBe('the secret');
    expect(provider).toMatchObject({ displayName: 'New name', tokenEndpointAuthMethod: 'client_secret_basic' });
  });

  it('replaces the secret that it names', () => {
    expect(readProvider({ ...BODY, client_secret: 'another' }, stored).clientSecret?.reveal()).toBe('another');
  });

  it.each<[string, Record<string, unknown>]>([
    ['issuer', { issuer: 'https://attacker.example' }],
    ['client_id', { client_id: 'them' }],
    ['token endpoint', { endpoints: { token: 'https://attacker.example/token' } }],
    ['revocation endpoint', { endpoints: { revocation: 'https://attacker.example/revoke' } }],
    [
      'type',
      {
        type: 'oauth2',
        endpoints: {
          authorization: 'https://idp.example/a',
          token: 'https://idp.example/t',
          userinfo: 'https://idp.example/u',
        },
        claims: { sub: 'id' },
      },
    ],
  ])('must name the secret again when it would go elsewhere: another %s', (_what, changes) => {
    const body = { ...BODY, ...changes };
    let error: unknown;
    try {
      readProvider(body, stored);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidEntry);
    expect((error as InvalidEntry).issues).toEqual([
      { path: 'client_secret', message: expect.stringMatching(/^is required where/) as string },
    ]);
    expect(readProvider({ ...body, client_secret: 'another' }, stored).clientSecret?.reveal()).toBe('another');
  });
});
