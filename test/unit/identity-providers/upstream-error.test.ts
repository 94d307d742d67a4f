import { describe, expect, it } from 'vitest';
import { OutboundError } from '../../../src/identity-providers/outbound-client.js';
import { tokenEndpointError, unanswered, UpstreamError } from '../../../src/identity-providers/upstream-error.js';
import { NOW } from './provider-server.js';

function answer(status: number, headers: Record<string, string> = {}): Response {
  return new Response('', { status, headers });
}

describe('tokenEndpointError', () => {
  it.each([
    ['invalid_grant', 400, { error: 'invalid_grant' }, 'invalid_grant', 'invalid_grant'],
    ['interaction_required', 400, { error: 'interaction_required' }, 'invalid_grant', 'invalid_grant'],
    ['login_required', 400, { error: 'login_required' }, 'invalid_grant', 'invalid_grant'],
    ['consent_required', 400, { error: 'consent_required' }, 'invalid_grant', 'invalid_grant'],
    ['bad_refresh_token', 200, { error: 'bad_refresh_token' }, 'invalid_grant', 'invalid_grant'],
    ['bad_verification_code', 200, { error: 'bad_verification_code' }, 'invalid_grant', 'invalid_grant'],
    ['incorrect_client_credentials', 200, { error: 'incorrect_client_credentials' }, 'misconfigured', 'misconfigured'],
    ['redirect_uri_mismatch', 200, { error: 'redirect_uri_mismatch' }, 'misconfigured', 'rejected'],
    ['invalid_client', 401, { error: 'invalid_client' }, 'misconfigured', 'misconfigured'],
    ['unauthorized_client', 400, { error: 'unauthorized_client' }, 'misconfigured', 'misconfigured'],
    ['invalid_request', 400, { error: 'invalid_request' }, 'misconfigured', 'rejected'],
    ['invalid_scope', 400, { error: 'invalid_scope' }, 'misconfigured', 'rejected'],
    ['an unheard-of code', 403, { error: 'whatever' }, 'misconfigured', 'rejected'],
    ['temporarily_unavailable', 400, { error: 'temporarily_unavailable' }, 'unavailable', 'unavailable'],
    ['429, whatever it says', 429, { error: 'invalid_grant' }, 'unavailable', 'unavailable'],
    ['500, whatever it says', 500, { error: 'invalid_grant' }, 'unavailable', 'unavailable'],
    ['503', 503, undefined, 'unavailable', 'unavailable'],
    ['400 without JSON', 400, undefined, 'unavailable', 'unavailable'],
    ['400 without an error', 400, { message: 'no' }, 'unavailable', 'unavailable'],
    ['400 with an error that is no string', 400, { error: { code: 1 } }, 'unavailable', 'unavailable'],
    ['403 of a firewall', 403, undefined, 'unavailable', 'unavailable'],
    ['a redirect', 302, undefined, 'unavailable', 'unavailable'],
    ['200 without a token', 200, { token_type: 'Bearer' }, 'unavailable', 'unavailable'],
    ['200 with an error', 200, { error: 'invalid_grant' }, 'invalid_grant', 'invalid_grant'],
  ])('%s', (_what, status, body, forRefresh, forCode) => {
    expect(tokenEndpointError('refresh', answer(status), body, NOW).kind).toBe(forRefresh);
    expect(tokenEndpointError('code', answer(status), body, NOW).kind).toBe(forCode);
  });

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['999999', 3_600_000],
    [new Date(NOW + 90_000).toUTCString(), 90_000],
    [new Date(NOW - 90_000).toUTCString(), 0],
    [new Date(NOW + 90_000_000).toUTCString(), 3_600_000],
    ['soon', undefined],
    ['-5', undefined],
    ['nonsense GMT', undefined],
  ])('reads Retry-After %j', (header, expected) => {
    const error = tokenEndpointError('refresh', answer(503, { 'retry-after': header }), undefined, NOW);
    expect(error.retryAfterMs).toBe(expected);
  });

  it('repeats an error code, but nothing that only claims to be one', () => {
    const known = tokenEndpointError('refresh', answer(400), { error: 'invalid_grant' }, NOW);
    expect(known).toBeInstanceOf(UpstreamError);
    expect(known.oauthError).toBe('invalid_grant');
    expect(known.message).toContain('invalid_grant');
    for (const error of ['rt-SECRET', 'a'.repeat(65), 'x\ninjected']) {
      const odd = tokenEndpointError('refresh', answer(400), { error, error_description: 'SECRET' }, NOW);
      expect(odd.oauthError).toBeUndefined();
      expect(odd.message).not.toMatch(/SECRET|aaa|injected/);
    }
  });
});

describe('unanswered', () => {
  it.each([
    [new OutboundError('timeout', 'idp.example'), 'unavailable'],
    [new OutboundError('network', 'idp.example'), 'unavailable'],
    [new OutboundError('too-large', 'idp.example'), 'unavailable'],
    [new OutboundError('refused-address', 'idp.example'), 'misconfigured'],
    [new Error('SECRET'), 'unavailable'],
  ])('%s', (error, kind) => {
    const found = unanswered('keys', error);
    expect(found.kind).toBe(kind);
    expect(found.message).not.toContain('SECRET');
  });
});
