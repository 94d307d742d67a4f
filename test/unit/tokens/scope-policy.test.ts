import { describe, expect, it } from 'vitest';
import type { Client } from '../../../src/clients/index.js';
import { refuseScopeBeyond, requestedScope } from '../../../src/tokens/engine/scope-policy.js';

const registeredFor = (...scope: string[]): Client => ({ scope }) as unknown as Client;
const client = registeredFor('openid', 'accounts:read', 'urn:x?y=1', 'admin');
const INVALID = expect.objectContaining({ code: 'scope.invalid' });

describe('the scope of a request', () => {
  it.each<[string | undefined, string[] | undefined]>([
    [undefined, undefined],
    ['openid', ['openid']],
    ['accounts:read openid', ['accounts:read', 'openid']],
    [' openid  openid ', ['openid']],
    ['urn:x?y=1', ['urn:x?y=1']],
  ])('%j is %j', (parameter, scope) => {
    expect(requestedScope(client, parameter)).toEqual(scope);
  });

  it.each(['OpenID', 'openid accounts:write', 'open', '__proto__', 'constructor'])(
    '%j is refused: the client is not registered for it',
    (parameter) => {
      expect(() => requestedScope(client, parameter)).toThrow(
        expect.objectContaining({
          code: 'scope.invalid',
          publicDetail: 'The client is not registered for all of this scope.',
        }),
      );
    },
  );

  it.each(['openid\taccounts:read', 'openid\naccounts:read', ' ', '"openid"', 'open\\id', 'ópenid', 'openid\u0000'])(
    '%j is refused: RFC 6749 section 3.3 knows no such names',
    (parameter) => {
      expect(() => requestedScope(registeredFor(parameter, 'openid'), parameter)).toThrow(
        expect.objectContaining({ code: 'scope.invalid', publicDetail: 'scope is malformed.' }),
      );
    },
  );
});

describe('what is granted', () => {
  it('is refused beyond what the client is registered for by now', () => {
    expect(() => refuseScopeBeyond(client, ['openid'], { ofUser: true })).not.toThrow();
    expect(() => refuseScopeBeyond(client, ['openid', 'profile'], { ofUser: true })).toThrow(INVALID);
  });

  it('is the administration through client_credentials only', () => {
    expect(() => refuseScopeBeyond(client, ['admin'], { ofUser: false })).not.toThrow();
    expect(() => refuseScopeBeyond(client, ['admin'], { ofUser: true })).toThrow(INVALID);
  });
});
