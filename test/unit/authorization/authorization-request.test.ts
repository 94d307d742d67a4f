import { expect, it } from 'vitest';
import { validate } from '../../../src/authorization/authorization-request.js';
import type { Client } from '../../../src/clients/index.js';

const target = { redirectUri: 'https://app.example/callback' };
const client = {
  clientId: 'app',
  grantTypes: ['authorization_code'],
  scope: ['openid', 'admin'],
  requirePkce: false,
} as unknown as Client;
const asking = (scope: string) =>
  validate(
    new Map([
      ['response_type', 'code'],
      ['scope', scope],
    ]),
    client,
    target,
  );

it('"scope admin … is granted through client_credentials only": no user can allow it, whatever the client is registered for', () => {
  expect(asking('openid').scope).toEqual(['openid']);
  for (const scope of ['admin', 'openid admin']) {
    expect(() => asking(scope)).toThrow(expect.objectContaining({ code: 'invalid_scope' }));
  }
});
