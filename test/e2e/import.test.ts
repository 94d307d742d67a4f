import { once } from 'node:events';
import { request as send, type ClientRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databases, type Row } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { endBackOff, eventually, redemptions } from '../support/vault.js';
import { PROVIDER, pkce, UPSTREAM_CLIENT, type World } from '../support/world.js';
import { createWorldOfTwo, PLAIN_CLIENT } from './upstream/two-providers.js';

const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const AUTHORIZATION = { authorization: `Bearer ${ADMIN_API_KEY}` };
const PLAIN = 'plain';
const CLIENTS = { [PROVIDER]: UPSTREAM_CLIENT, [PLAIN]: PLAIN_CLIENT };
type Provider = keyof typeof CLIENTS;

interface Result {
  line?: number;
  status?: string;
  user_id?: string;
  subject?: string;
  reason?: string;
  retry_after?: number;
  error?: { status: number; detail: string; errors?: { parameter: string; detail: string }[] };
  progress?: { done: number; total: number };
  summary?: { complete: boolean; done: number; total: number; results: Record<string, number> };
}

interface Given {
  access_token: string;
  refresh_token: string;
}

describe.each(databases)('importing linked accounts on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorldOfTwo(kind, { ADMIN_API_KEY });
  });
  afterAll(() => world.stop());
  beforeEach(() => world.upstream.resetCounts());

  /** What the provider gave to whoever has kept the tokens until now: nothing of it has passed through the service. */
  async function given(login: string, provider: Provider = PROVIDER): Promise<Given> {
    const { verifier, challenge } = pkce();
    const { client_id: clientId, client_secret: secret } = CLIENTS[provider];
    const redirectUri = `${world.service.url}/login/${provider}/callback`;
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid profile email offline_access',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      login_hint: login,
    });
    const { location } = await world.browser().get(`${world.upstream.issuer}/auth?${query.toString()}`, {
      stopBefore: ({ href }) => href.startsWith(redirectUri),
    });
    const answer = await world.browser().request(`${world.upstream.issuer}/token`, {
      form: {
        grant_type: 'authorization_code',
        code: location?.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: verifier,
      },
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
    });
    const { access_token, refresh_token } = answer.json<Given>();
    return { access_token, refresh_token };
  }

  /** A user who signed in elsewhere and may ask for tokens, and what has to be imported for them. */
  async function person(login: string, provider: Provider = PROVIDER) {
    const { access_token: token } = await world.signIn({ login, provider: provider === PLAIN ? PROVIDER : PLAIN });
    const [row] = await world.database.query('SELECT user_id FROM linked_accounts WHERE subject = ?', [login]);
    const { access_token, refresh_token } = await given(login, provider);
    const entry = { user_id: String(row?.['user_id']), identity_provider: provider, subject: login };
    return {
      token,
      entry,
      whole: { ...entry, access_token, refresh_token, expires_in: 3600 },
      refresh_token,
      access_token,
    };
  }

  const importOne = (json: object, query = ''): Promise<BrowserResponse> =>
    world.request(`/admin/linked-accounts${query}`, { method: 'POST', json, headers: AUTHORIZATION });
  const statusOf = async (json: object, query = ''): Promise<string | undefined> => {
    const answer = await importOne(json, query);
    expect(answer.status).toBe(200);
    return answer.json<Result>().status;
  };
  const importMany = async (body: string | Uint8Array, query = ''): Promise<Result[]> => {
    const answer = await world.request(`/admin/linked-accounts/import${query}`, {
      method: 'POST',
      body,
      headers: { ...AUTHORIZATION, 'content-type': 'application/x-ndjson' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    return resultsIn(answer.text());
  };
  const account = async (subject: string, provider: Provider = PROVIDER): Promise<Row> => {
    const rows = await world.database.query(
      'SELECT * FROM linked_accounts WHERE subject = ? AND identity_provider = ? AND unlinked_at IS NULL',
      [subject, provider],
    );
    expect(rows.length).toBeLessThan(2);
    return rows[0] ?? {};
  };
  const imports = async (): Promise<number> =>
    Number(
      (await world.database.query(`SELECT count(*) AS n FROM audit_events WHERE event = 'identity.imported'`))[0]?.[
        'n'
      ],
    );
  const served = async (token: string, provider: Provider = PROVIDER): Promise<string | undefined> => {
    const answer = await world.pace(token, provider);
    return answer.status === 200 ? answer.json<Given>().access_token : String(answer.status);
  };

  const remember = (...names: string[]) => {
    for (const name of names) world.ledger.add(`a-refresh-token-of-${name}`, 'an imported refresh token');
  };
  const open = (query: string, headers: object = {}) =>
    send(`${world.service.url}/admin/linked-accounts/import${query}`, {
      method: 'POST',
      headers: { ...AUTHORIZATION, 'content-type': 'application/x-ndjson', ...headers },
    });

  describe('one', () => {
    it.each([PROVIDER, PLAIN] as const)('is read and refreshed like one that its user linked: %s', async (provider) => {
      const login = `reader-of-${provider}`;
      const { token, whole, entry } = await person(login, provider);
      expect(await served(token, provider)).toBe('401');
      const answer = await importOne({ ...whole, scope: 'openid email', claims: { name: 'Imported' } });
      expect(answer.json()).toEqual({ status: 'imported', ...entry });
      expect(await served(token, provider)).toBe(whole.access_token);
      const before = await account(login, provider);
      expect(before).toMatchObject({ status: 'active', scope: 'openid email', issuer: world.upstream.issuer });
      expect(Number(before['authorized_at'])).toBeGreaterThan(0);
      await world.expire();
      const refreshed = await served(token, provider);
      expect(refreshed).not.toBe(whole.access_token);
      expect(await served(token, provider)).toBe(refreshed);
      expect(world.upstream.refreshTokensSeen).toEqual([whole.refresh_token]);
      const [audited] = await world.database.query(
        `SELECT event, actor FROM audit_events WHERE user_id = ? AND identity_provider = ? AND event LIKE 'identity.%'`,
        [entry.user_id, provider],
      );
      expect(audited).toEqual({ event: 'identity.imported', actor: 'admin-api-key' });
    });

    it('is refreshed before it is used, where there is a refresh token only or nobody knows how old the other is', async () => {
      const { token, entry, refresh_token } = await person('refresh-only');
      expect(await statusOf({ ...entry, refresh_token })).toBe('imported');
      expect((await served(token))?.length).toBeGreaterThan(10);
      const aged = await person('unknown-age');
      expect(
        await statusOf({ ...aged.entry, refresh_token: aged.refresh_token, access_token: aged.access_token }),
      ).toBe('imported');
      expect(await served(aged.token)).not.toBe(aged.access_token);
      expect(world.upstream.refreshTokensSeen).toEqual([refresh_token, aged.refresh_token]);
    });

    it('never replaces tokens that work, which may be the successors of its own, unless it is told to', async () => {
      const { token, whole } = await person('again');
      await importOne(whole);
      await world.expire();
      const refreshed = await served(token);
      const before = await account('again');
      const count = await imports();
      expect(await statusOf(whole)).toBe('exists');
      expect(await statusOf(whole, '?verify=true&create_users=true')).toBe('exists');
      const { access_token, refresh_token, generation, authorized_at } = await account('again');
      expect(before).toMatchObject({ access_token, refresh_token, generation, authorized_at });
      expect(await imports()).toBe(count);
      expect(await served(token)).toBe(refreshed);
      expect(world.upstream.refreshTokensSeen).toEqual([whole.refresh_token]);

      const fresh = await given('again');
      expect(await statusOf({ ...whole, ...fresh }, '?overwrite=true')).toBe('imported');
      expect(await served(token)).toBe(fresh.access_token);
    });

    it('is stored once, however many bring it at the same time', async () => {
      const { whole } = await person('at-once');
      const { user_id: _, ...nobody } = whole;
      const subject = { ...nobody, username: 'at-once', subject: 'at-once-new' };
      const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(subject, '?create_users=true')));
      expect(statuses.filter((status) => status === 'imported')).toHaveLength(1);
      expect(statuses.filter((status) => status === 'exists')).toHaveLength(19);
      expect(await account('at-once-new')).toMatchObject({ status: 'active' });
      const users = await world.database.query('SELECT * FROM users WHERE username = ?', ['at-once']);
      expect(users).toHaveLength(1);
    });

    it('wins over a refresh that is under way, where it replaces', async () => {
      const { token, whole } = await person('under-way');
      await importOne(whole);
      const fresh = await given('under-way');
      await world.expire();
      world.upstream.withhold('answer');
      const reading = served(token);
      try {
        await world.upstream.waitForTokenRequest();
        expect(await statusOf({ ...whole, ...fresh }, '?overwrite=true')).toBe('imported');
      } finally {
        world.upstream.release();
      }
      expect(await reading).toBe(fresh.access_token);
      await world.expire();
      expect((await served(token))?.length).toBeGreaterThan(10);
      expect(world.upstream.refreshTokensSeen).toEqual([whole.refresh_token, fresh.refresh_token]);
    });

    it('is of a user who may be blocked, and of nobody who is unknown', async () => {
      const { whole, entry } = await person('blocked');
      await world.request(`/admin/users/${entry.user_id}`, {
        method: 'PATCH',
        json: { blocked: true },
        headers: AUTHORIZATION,
      });
      expect(await statusOf(whole)).toBe('imported');
      const { user_id: _, ...nobody } = whole;
      expect((await importOne({ ...nobody, subject: 'unknown', username: 'unknown' })).status).toBe(404);
      const created = await importOne(
        {
          ...nobody,
          subject: 'created',
          username: 'created',
          claims: { name: 'Ada', email: 'ada@example.com', email_verified: true },
        },
        '?create_users=true',
      );
      const { user_id: id = '' } = created.json<Result>();
      expect((await world.request(`/admin/users/${id}`, { headers: AUTHORIZATION })).json()).toMatchObject({
        username: 'created',
        full_name: 'Ada',
        email: 'ada@example.com',
        email_verified: false,
      });
      expect((await importOne({ ...whole, subject: 'created' })).status).toBe(409);
    });
  });

  describe('of what has been undone here', () => {
    it('leaves an account alone that its user has unlinked, unless it is to be overwritten', async () => {
      const { token, whole } = await person('changed-her-mind');
      expect(await statusOf(whole)).toBe('imported');
      const identity = `/admin/users/${whole.user_id}/identities/${PROVIDER}`;
      expect((await world.request(identity, { method: 'DELETE', headers: AUTHORIZATION })).status).toBe(204);
      expect(await statusOf(whole)).toBe('unlinked');
      expect(await statusOf(whole, '?verify=true')).toBe('unlinked');
      expect(await account(whole.subject)).toEqual({});
      expect(await served(token)).toBe('401');
      expect(await statusOf(whole, '?overwrite=true')).toBe('imported');
    });

    it("does not serve what turned out to be somebody else's, unless it is to be overwritten", async () => {
      const { token, whole } = await person('mixed-up');
      const wrong = { ...whole, ...(await given('mixed-up-with')) };
      expect(await statusOf(wrong, '?verify=true')).toBe('reauthentication-required');
      expect((await importOne(wrong)).json()).toMatchObject({
        status: 'reauthentication-required',
        reason: 'subject_mismatch',
      });
      expect(await served(token)).toBe('401');
      expect(await statusOf(whole, '?overwrite=true')).toBe('imported');
      expect(await served(token)).toBe(whole.access_token);
    });
  });

  describe('with a first refresh', () => {
    const VERIFY = '?verify=true';

    it.each([PROVIDER, PLAIN] as const)('is verified, once: %s', async (provider) => {
      const { token, whole } = await person(`verified-at-${provider}`, provider);
      expect(await statusOf(whole, VERIFY)).toBe('verified');
      const answer = await served(token, provider);
      expect(answer).not.toBe(whole.access_token);
      expect(await statusOf(whole, VERIFY)).toBe('exists');
      expect(world.upstream.refreshTokensSeen).toEqual([whole.refresh_token]);
    });

    it.each([PROVIDER, PLAIN] as const)("is not served where the tokens are somebody else's: %s", async (provider) => {
      const { token, whole } = await person(`victim-at-${provider}`, provider);
      const { access_token, refresh_token } = await given('somebody-else', provider);
      const answer = await importOne({ ...whole, access_token, refresh_token }, VERIFY);
      expect(answer.json()).toMatchObject({ status: 'reauthentication-required', reason: 'subject_mismatch' });
      expect(await served(token, provider)).toBe('401');
      expect(await account(`victim-at-${provider}`, provider)).toMatchObject({
        access_token: null,
        refresh_token: null,
      });
    });

    it('says that the refresh token is dead, and takes one that is not', async () => {
      const { token, whole, entry } = await person('dead');
      const dead = { ...entry, refresh_token: 'a-refresh-token-that-was-never-given' };
      world.ledger.add(dead.refresh_token, 'a refresh token');
      expect((await importOne(dead, VERIFY)).json()).toMatchObject({
        status: 'reauthentication-required',
        reason: 'invalid_grant',
      });
      expect(await served(token)).toBe('401');
      expect(await statusOf(whole, VERIFY)).toBe('verified');
      expect((await served(token))?.length).toBeGreaterThan(10);
    });

    it('proves an access token that stands alone by userinfo', async () => {
      const { token, entry, access_token } = await person('alone', PLAIN);
      expect(await statusOf({ ...entry, access_token, expires_in: 3600 }, VERIFY)).toBe('verified');
      expect(await served(token, PLAIN)).toBe(access_token);
      expect(world.upstream.counts.refresh.attempted).toBe(0);
      const other = await person('alone-and-wrong', PLAIN);
      const wrong = await importOne({ ...other.entry, access_token, expires_in: 3600 }, VERIFY);
      expect(wrong.json()).toMatchObject({ status: 'reauthentication-required', reason: 'subject_mismatch' });
    });

    it('says where the provider would not say whose the tokens are', async () => {
      const { whole } = await person('unproven', PLAIN);
      world.upstream.failNext(1, { status: 403 }, 'userinfo');
      expect(await statusOf(whole, VERIFY)).toBe('unproven');
    });

    it('keeps the tokens of a provider that is away, and verifies them the next time', async () => {
      const { whole } = await person('away');
      world.upstream.failNext(1, { status: 503, headers: { 'retry-after': '30' } });
      const answer = (await importOne(whole, VERIFY)).json<Result>();
      expect(answer).toMatchObject({ status: 'unverified', error: { status: 503 } });
      expect(answer.retry_after).toBeGreaterThan(25);
      expect(await statusOf(whole, VERIFY)).toBe('unverified');
      expect(redemptions(world).attempted).toBe(1);
      await endBackOff(world);
      expect(await statusOf(whole, VERIFY)).toBe('verified');
      expect(await statusOf(whole)).toBe('exists');
    });
  });

  describe('many', () => {
    it('have each a line of their own, in order; a wrong one fails alone and says nothing of what it holds', async () => {
      remember('first', 'last', 'extra', 'rival', 'long', 'malformed', 'latin');
      const lines = [
        Buffer.from(jsonLines(entry('first'))),
        Buffer.from('\n  \r\n'),
        Buffer.from('{"refresh_token": "a-refresh-token-of-malformed",\n'),
        Buffer.concat([
          Buffer.from('{"refresh_token": "a-refresh-token-of-latin'),
          Buffer.from([0xe9]),
          Buffer.from('"}\n'),
        ]),
        Buffer.from('[]\r\n'),
        Buffer.from(jsonLines(entry('extra', { password: 'a-refresh-token-of-extra' }))),
        Buffer.from(jsonLines(entry('long', { access_token: 'x'.repeat(70_000) }))),
        Buffer.from(jsonLines(entry('rival', { subject: 'first' }), entry('first'))),
        Buffer.from(jsonLines(entry('nobody', { username: undefined, user_id: 'nobody' }), entry('last')).trimEnd()),
      ];
      const results = await importMany(Buffer.concat(lines), '?create_users=true');
      const [begin, ...rest] = results;
      expect(begin).toEqual({ progress: { done: 0, total: 10 } });
      expect(rest.pop()).toEqual({
        summary: {
          complete: true,
          total: 10,
          done: 10,
          results: {
            imported: 2,
            unlinked: 0,
            exists: 1,
            verified: 0,
            unproven: 0,
            unverified: 0,
            'reauthentication-required': 0,
            failed: 7,
          },
        },
      });
      expect(
        rest.map(({ line, status, error }) => [
          line,
          status,
          error?.status,
          error?.errors?.[0]?.parameter ?? error?.detail,
        ]),
      ).toEqual([
        [1, 'imported', undefined, undefined],
        [4, 'failed', 400, 'The line is no JSON in UTF-8.'],
        [5, 'failed', 400, 'The line is no JSON in UTF-8.'],
        [6, 'failed', 400, 'The line must be a JSON object.'],
        [7, 'failed', 400, 'password'],
        [8, 'failed', 413, 'The line is larger than 65536 bytes.'],
        [9, 'failed', 409, 'The account is linked to another user.'],
        [10, 'exists', undefined, undefined],
        [11, 'failed', 404, 'user_id'],
        [12, 'imported', undefined, undefined],
      ]);
      // The user of a line that failed was not made either.
      expect(await world.database.query(`SELECT * FROM users WHERE username IN ('rival', 'extra', 'long')`)).toEqual(
        [],
      );
      expect(JSON.stringify(results)).not.toContain('a-refresh-token');
    });

    it('say how far they are, and may be repeated', async () => {
      const names = Array.from({ length: 250 }, (_, index) => `bulk-${index}`);
      remember(...names);
      const body = jsonLines(...names.map((name) => entry(name)));
      const first = await importMany(body, '?create_users=true');
      expect(first.flatMap(({ progress }) => (progress ? [progress.done] : []))).toEqual([0, 100, 200]);
      expect(first.at(-1)?.summary?.results).toMatchObject({ imported: 250, failed: 0 });
      const again = await importMany(body);
      expect(again.at(-1)?.summary).toMatchObject({ complete: true, results: { exists: 250 } });
    });

    it('do not storm a provider that is away', async () => {
      const names = Array.from({ length: 20 }, (_, index) => `storm-${index}`);
      remember(...names);
      world.upstream.failNext(1, { status: 429, headers: { 'retry-after': '60' } });
      const results = await importMany(
        jsonLines(...names.map((name) => entry(name))),
        '?create_users=true&verify=true',
      );
      await endBackOff(world);
      expect(results.at(-1)?.summary?.results).toMatchObject({ unverified: 20 });
      for (const { retry_after: seconds } of results.slice(1, -1)) expect(seconds).toBeGreaterThan(30);
      expect(redemptions(world).attempted).toBe(1);
    });

    it.each([
      ['one line too many', () => 'x\n'.repeat(10_001), 'The body has more than 10000 lines.'],
      [
        '16 MiB and a byte, as it says',
        () => 'x'.repeat(16 * 1024 * 1024 + 1),
        'The body is larger than 16777216 bytes.',
      ],
    ])('are refused before anything is stored: %s', async (_case, body, detail) => {
      const answer = await world.request('/admin/linked-accounts/import', {
        method: 'POST',
        body: body(),
        headers: { ...AUTHORIZATION, 'content-type': 'application/x-ndjson' },
      });
      expect(answer.status).toBe(413);
      expect(answer.json()).toMatchObject({ detail });
    });

    it('are refused where they do not say how many they are and become too many', async () => {
      const asked = open('', { 'transfer-encoding': 'chunked' });
      asked.on('error', () => undefined);
      const answer = answered(asked);
      for (let sent = 0; sent <= 16; sent += 1) asked.write('x'.repeat(1024 * 1024));
      expect((await answer).statusCode).toBe(413);
      asked.destroy();
    });

    it('of a stranger are not read at all', async () => {
      const asked = open('', { authorization: 'Bearer nobody', 'content-length': String(8 * 1024 * 1024) });
      asked.on('error', () => undefined);
      asked.flushHeaders();
      // Answered while nothing of the body has been sent.
      expect((await answered(asked)).statusCode).toBe(401);
      asked.destroy();
    });

    it('end when the caller hangs up, after the line that is under way', async () => {
      const { whole } = await person('hung-up');
      remember('not-begun');
      world.upstream.withhold('answer');
      try {
        const asked = open('?verify=true&create_users=true');
        asked.end(jsonLines(whole, entry('not-begun')));
        const answer = await answered(asked);
        await world.upstream.waitForTokenRequest();
        const ended = () => world.service.output().split('"path":"/admin/linked-accounts/import"').length;
        const before = ended();
        answer.destroy();
        await eventually('the service notices', () => ended() > before);
      } finally {
        world.upstream.release();
      }
      await eventually('the import ends', () =>
        /"total":2,"done":\d.*an import has ended/.test(world.service.output()),
      );
      expect(await account('hung-up')).toMatchObject({ status: 'active', last_error: null });
      expect((await account('hung-up'))['refreshed_at']).not.toBeNull();
      expect(await account('not-begun')).toEqual({});
    });

    it('end with the service, which says so', async () => {
      const { whole } = await person('stopped');
      remember('not-reached');
      world.upstream.withhold('answer');
      const asked = open('?verify=true&create_users=true');
      asked.end(jsonLines(whole, entry('not-reached')));
      const answer = await answered(asked);
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const ended = once(answer, 'end');
      await world.upstream.waitForTokenRequest();
      const restarted = world.restart('stop');
      await eventually('it drains', () => world.service.output().includes('draining'));
      world.upstream.release();
      await Promise.all([ended, restarted]);
      expect(resultsIn(text).map(({ line, status, summary }) => status ?? summary ?? line)).toEqual([
        undefined,
        'verified',
        expect.objectContaining({ complete: false, total: 2, done: 1 }),
      ]);
      expect(await account('not-reached')).toEqual({});
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});

function resultsIn(text: string): Result[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Result);
}

const entry = (name: string, more: object = {}) => ({
  username: name,
  identity_provider: PROVIDER,
  subject: name,
  refresh_token: `a-refresh-token-of-${name}`,
  ...more,
});

const jsonLines = (...values: object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

const answered = async (asked: ClientRequest): Promise<IncomingMessage> => {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
};
