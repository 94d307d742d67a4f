import { describe, expect, it } from 'vitest';
import { presentedClient } from '../../../src/tokens/dialects/oauth/presented-client.js';

const TYPE = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };
const BASIC = `Basic ${Buffer.from('a%2Db:p%3Aw+d').toString('base64')}`;

type Form = Record<string, string>;
const seen = (form: Form, authorization?: string, documentsAssertion = false): unknown => {
  const client = presentedClient(authorization, new Map(Object.entries(form)), { documentsAssertion });
  if (client === undefined) return undefined;
  return {
    ...client,
    ...('secret' in client && { secret: client.secret.reveal() }),
    ...('assertion' in client && { assertion: client.assertion.reveal() }),
  };
};
const byAssertion = (clientId?: string): object => ({
  method: 'client_assertion',
  clientId,
  assertion: 'a.jwt',
  endpoints: expect.arrayContaining(['/token', '/oauth2/tokens']),
});
const refused = (publicDetail: string): unknown =>
  expect.objectContaining({ code: 'request.parameter-invalid', publicDetail });

describe('the client of a form', () => {
  it.each<[string, unknown, Form, string?]>([
    ['Basic, form-decoded', { method: 'client_secret_basic', clientId: 'a-b', secret: 'p:w d' }, {}, BASIC],
    ['Basic that cannot be read', undefined, { client_id: 'a' }, 'Basic ?'],
    ['a secret', { method: 'client_secret_post', clientId: 'a', secret: 's' }, { client_id: 'a', client_secret: 's' }],
    ['an id', { method: 'none', clientId: 'a' }, { client_id: 'a' }],
    [
      'an id beside a Bearer token, which authenticates no client',
      { method: 'none', clientId: 'a' },
      { client_id: 'a' },
      'Bearer x',
    ],
    ['nothing', undefined, {}],
    ['a secret of nobody', undefined, { client_secret: 's' }],
    ['an assertion', byAssertion(), { ...TYPE, client_assertion: 'a.jwt' }],
    ['an assertion and an id', byAssertion('a'), { ...TYPE, client_assertion: 'a.jwt', client_id: 'a' }],
    ['`assertion` alone', { method: 'none', clientId: 'a' }, { assertion: 'a.jwt', client_id: 'a' }],
  ])('%s', (_, expected, form, authorization) => {
    expect(seen(form, authorization)).toEqual(expected);
  });

  it.each<[string, string, Form, string?]>([
    ['Basic and a secret', 'The client used two authentication methods.', { client_secret: 's' }, BASIC],
    [
      'Basic and an assertion',
      'The client used two authentication methods.',
      { ...TYPE, client_assertion: 'a' },
      BASIC,
    ],
    [
      'a secret and an assertion',
      'The client used two authentication methods.',
      { ...TYPE, client_assertion: 'a', client_secret: 's' },
    ],
    ['Basic and another client_id', 'client_id is not the authenticated client.', { client_id: 'x' }, BASIC],
    ['an assertion without its type', 'client_assertion_type is missing', { client_assertion: 'a' }],
    [
      'an assertion of another type',
      'client_assertion_type is not supported',
      { client_assertion_type: 'saml2', client_assertion: 'a' },
    ],
    ['a type without an assertion', 'client_assertion is missing', TYPE],
    ['a type and what only Raidiam calls so', 'client_assertion is missing', { ...TYPE, assertion: 'a' }],
  ])('"One method per request": %s', (_, text, form, authorization) => {
    expect(() => seen(form, authorization)).toThrow(refused(text));
  });

  describe('where the face documents `assertion`', () => {
    it('"authenticates the client only together with `client_assertion_type`"', () => {
      expect(seen({ ...TYPE, assertion: 'a.jwt' }, undefined, true)).toEqual(byAssertion());
      expect(seen({ assertion: 'a.jwt', client_id: 'a' }, undefined, true)).toEqual({ method: 'none', clientId: 'a' });
    });

    it('"and a grant other than jwt-bearer"', () => {
      const form = { ...TYPE, assertion: 'a.jwt', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' };
      expect(() => seen(form, undefined, true)).toThrow(refused('client_assertion is missing'));
    });

    it('"`assertion` and `client_assertion` together → 400"', () => {
      expect(() => seen({ ...TYPE, assertion: 'a.jwt', client_assertion: 'a.jwt' }, undefined, true)).toThrow(
        refused('assertion and client_assertion are the same, and one of them is enough.'),
      );
    });
  });
});
