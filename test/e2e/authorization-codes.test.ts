import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases, type Row } from '../support/databases.js';
import type { Browser, BrowserResponse } from '../support/http-browser.js';
import { authorizationUrl, count, login, open, toldClient } from '../support/journeys.js';
import {
  CLIENTS,
  createWorld,
  pkce,
  PROVIDER,
  READ_SCOPE,
  REDIRECT_URI,
  tokenRequest,
  type World,
} from '../support/world.js';

const LAX = { client_id: 'lax', client_secret: 'lax-secret-0123456789abcdef-0123456789abcdef' };
const TWIN = { client_id: 'twin', client_secret: 'twin-secret-0123456789abcdef-0123456789abcdef' };
const OTHER_URI = 'https://app.example/callback-2';

interface Issued {
  code: string;
  verifier: string;
}

/** `null` leaves a parameter out. */
type Changes = Record<string, string | null>;

function refusal(answer: BrowserResponse): [status: number, error: unknown, text: unknown] {
  const { error, error_description: text } = answer.json();
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return [answer.status, error, text];
}

describe.each(databases)('authorization codes on $name', (kind) => {
  let world: World;
  let alice: Browser;
  beforeAll(async () => {
    const common = { redirect_uris: [REDIRECT_URI, OTHER_URI], scope: READ_SCOPE, consent: 'implicit' };
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        clients: [
          ...(configuration['clients'] ?? []),
          { ...common, ...LAX, require_pkce: false },
          { ...common, ...TWIN, id_token_signed_response_alg: 'ES256', upstream_providers: [PROVIDER] },
        ],
      }),
    });
    for (const { client_secret: secret } of [LAX, TWIN]) world.ledger.add(secret, 'configured secret');
    alice = world.browser();
    await login(world, alice);
  });
  afterAll(async () => {
    await world.stop();
  });

  async function issue(changes: Changes = {}): Promise<Issued> {
    const { url, verifier } = authorizationUrl(world, changes);
    return { code: toldClient(await open(alice, url)).get('code') ?? '', verifier };
  }

  function redeem(
    { code, verifier }: Issued,
    changes: Changes = {},
    client = CLIENTS.reader as typeof LAX,
  ): Promise<BrowserResponse> {
    const { form, headers } = tokenRequest(client, code, verifier);
    const changed = Object.entries({ ...(form as Record<string, string>), ...changes });
    return world.request('/token', {
      ...(headers && { headers }),
      form: Object.fromEntries(changed.flatMap(([name, value]) => (value === null ? [] : [[name, value]]))),
    });
  }

  async function grantOf(token: string): Promise<Row | undefined> {
    const [row] = await world.database.query('SELECT * FROM grants WHERE id = ?', [decodeJwt(token)['grant_id']]);
    return row;
  }

  it('give an access token of RFC 9068 and an id_token with the nonce, the session and the client', async () => {
    const answer = await redeem(await issue({ nonce: 'my-nonce' }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { access_token: token, id_token: idToken } = answer.json<{ access_token: string; id_token: string }>();
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    expect(decodeProtectedHeader(idToken)).toMatchObject({ typ: 'JWT', alg: 'RS256' });
    const { sub, sid } = decodeJwt(token);
    expect(decodeJwt(token)).toMatchObject({ iss: world.service.url, aud: world.service.url, client_id: 'reader' });
    expect(decodeJwt(idToken)).toMatchObject({ iss: world.service.url, aud: 'reader', nonce: 'my-nonce', sub, sid });
  });

  const REFUSED: [string, Changes, string][] = [
    ['an unknown code', { code: 'x'.repeat(43) }, 'invalid_grant'],
    ['no code', { code: null }, 'invalid_request'],
    ['an empty code', { code: '' }, 'invalid_request'],
    ['a code with a NUL', { code: 'x\0' }, 'invalid_grant'],
    ['another redirect_uri, registered as it is', { redirect_uri: OTHER_URI }, 'invalid_grant'],
    ['no redirect_uri', { redirect_uri: null }, 'invalid_request'],
    ['the verifier of another request', { code_verifier: pkce().verifier }, 'invalid_grant'],
    ['no verifier', { code_verifier: null }, 'invalid_request'],
    ['an empty verifier', { code_verifier: '' }, 'invalid_request'],
    ['a verifier that is too short', { code_verifier: 'short' }, 'invalid_grant'],
    ['a verifier in forbidden letters', { code_verifier: ' '.repeat(43) }, 'invalid_grant'],
  ];
  it('RFC 9700 4.5: "bound to client and redirect_uri", and verifier; a refused attempt spends nothing', async () => {
    const issued = await issue();
    const texts = new Set<unknown>();
    for (const [what, changes, error] of REFUSED) {
      const [status, code, text] = refusal(await redeem(issued, changes));
      expect([what, status, code]).toEqual([what, 400, error]);
      if (error === 'invalid_grant') texts.add(text);
    }
    const [status, error, text] = refusal(await redeem(issued, {}, TWIN));
    expect([status, error]).toEqual([400, 'invalid_grant']);
    // Which of them it was is not told.
    expect(texts).toEqual(new Set([text]));
    const challenge = new URL(authorizationUrl(world).url).searchParams.get('code_challenge');
    expect(refusal(await redeem(issued, { code_verifier: challenge }))[1]).toBe('invalid_grant');
    expect((await redeem(issued)).status).toBe(200);
  });

  it('RFC 9700 4.8.2: "verifier without challenge refused"', async () => {
    const without = { client_id: 'lax', code_challenge: null, code_challenge_method: null };
    const issued = await issue(without);
    expect(refusal(await redeem(issued, {}, LAX))[1]).toBe('invalid_grant');
    expect((await redeem(issued, { code_verifier: null }, LAX)).status).toBe(200);
    const guarded = await issue({ client_id: 'lax' });
    expect(refusal(await redeem(guarded, { code_verifier: null }, LAX))[1]).toBe('invalid_request');
    expect((await redeem(guarded, {}, LAX)).status).toBe(200);
  });

  it('RFC 9700 4.2: "code … ≤ 60 s"', async () => {
    const issued = await issue();
    const [row] = await world.database.query(
      'SELECT max(expires_at - created_at) AS longest FROM authorization_codes WHERE consumed_at IS NULL',
    );
    expect(Number(row?.['longest'])).toBeLessThanOrEqual(60_000);
    await world.database.query('UPDATE authorization_codes SET expires_at = ? WHERE consumed_at IS NULL', [
      Date.now() - 1,
    ]);
    expect(refusal(await redeem(issued))[1]).toBe('invalid_grant');
  });

  it('RFC 9700 4.2: "code single-use", of fifty at the same time', async () => {
    const issued = await issue();
    const answers = await Promise.all(Array.from({ length: 50 }, () => redeem(issued)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expect(refusal(answer).slice(0, 2)).toEqual([400, 'invalid_grant']);
    }
  });

  it.each([
    ['as it was', {}],
    ['with a wrong verifier', { code_verifier: 'w'.repeat(43) }],
    ['without verifier', { code_verifier: null }],
    ['with another redirect_uri', { redirect_uri: OTHER_URI }],
  ])('RFC 9700 4.2, 4.5: "reuse revokes what it gave": %s', async (_, changes) => {
    const issued = await issue();
    const { access_token: token } = (await redeem(issued)).json<{ access_token: string }>();
    expect((await world.pace(token)).status).toBe(200);
    expect((await grantOf(token))?.['revoked_at']).toBeNull();
    expect(refusal(await redeem(issued, changes)).slice(0, 2)).toEqual([400, 'invalid_grant']);
    expect((await grantOf(token))?.['revoked_at']).not.toBeNull();
    expect((await world.pace(token)).status).toBe(401);
    expect((await world.onezone(token)).json()).toMatchObject({
      error: { details: { authError: { id: 'tokenRevoked' } } },
    });
    expect(await count(world, 'audit_events', "WHERE event = 'token.reused' AND client_id = 'reader'")).toBeGreaterThan(
      0,
    );
  });

  it('used again by another client revoke nothing: knowing a spent code is no weapon', async () => {
    const issued = await issue();
    const { access_token: token } = (await redeem(issued)).json<{ access_token: string }>();
    expect(refusal(await redeem(issued, {}, TWIN))[1]).toBe('invalid_grant');
    expect((await world.pace(token)).status).toBe(200);
  });

  it.each([
    [
      'the user was blocked',
      'UPDATE users SET blocked_at = ? WHERE id = ?',
      'UPDATE users SET blocked_at = NULL WHERE id = ?',
    ],
    ['the grant was revoked', 'UPDATE grants SET revoked_at = ? WHERE user_id = ?', undefined],
  ])('are worth nothing once %s', async (_, happens, back) => {
    const issued = await issue();
    const [row] = await world.database.query("SELECT user_id FROM linked_accounts WHERE subject = 'alice'");
    await world.database.query(happens, [1, row?.['user_id']]);
    expect(refusal(await redeem(issued))[1]).toBe('invalid_grant');
    if (back !== undefined) await world.database.query(back, [row?.['user_id']]);
  });

  it.each(['password', 'implicit', 'AUTHORIZATION_CODE', 'authorization_code\0'])(
    'RFC 9700 2.1.2, 2.4: "no implicit, no password grant": %j',
    async (grantType) => {
      const answer = await redeem(await issue(), { grant_type: grantType, username: 'ada', password: 'x' });
      expect(refusal(answer).slice(0, 2)).toEqual([400, 'unsupported_grant_type']);
    },
  );

  it('"Unknown parameters are ignored …; repeated ones refused"', async () => {
    const issued = await issue();
    const { form, headers } = tokenRequest(CLIENTS.reader, issued.code, issued.verifier);
    const pairs = Object.entries(form as Record<string, string>);
    const repeated = await world.request('/token', {
      ...(headers && { headers }),
      form: [...pairs, ['code', 'other']],
    });
    expect(refusal(repeated).slice(0, 2)).toEqual([400, 'invalid_request']);
    expect((await redeem(issued, { frobnicate: '1' })).status).toBe(200);
  });

  describe('access tokens', () => {
    it('RFC 9700 4.3: "no access token in a query string", nor in a form', async () => {
      const { access_token: token } = (await redeem(await issue())).json<{ access_token: string }>();
      for (const path of [
        `/federated-identities/${PROVIDER}/token`,
        `/api/v3/onezone/user/idp_access_token/${PROVIDER}`,
      ]) {
        const query = await world.request(`${path}?access_token=${token}&token=${token}`, { method: 'POST' });
        expect(query.status).toBe(401);
        expect((await world.request(path, { form: { access_token: token } })).status).toBe(401);
      }
    });

    it('cannot be replaced by an id_token, not even one that the very same key signed', async () => {
      const issued = await issue({ client_id: 'twin' });
      const { access_token: token, id_token: idToken } = (await redeem(issued, {}, TWIN)).json<{
        access_token: string;
        id_token: string;
      }>();
      expect(decodeProtectedHeader(idToken)['kid']).toBe(decodeProtectedHeader(token)['kid']);
      expect((await world.pace(token)).status).toBe(200);
      expect((await world.pace(idToken)).status).toBe(401);
      expect((await world.onezone(idToken)).json()).toMatchObject({
        error: { details: { authError: { id: 'notAnAccessToken', details: { received: 'idToken' } } } },
      });
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
