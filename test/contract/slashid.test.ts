import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { differences, type OpenApiDocument } from '../support/openapi.js';
import { stored } from '../support/wire.js';
import { createWorld, pkce } from '../support/world.js';
import {
  APP,
  KEEPER,
  KEPT,
  MACHINE,
  OPAQUE_KEEPER,
  Scene,
  checkRow,
  claimsOf,
  configured,
  makeKey,
  type SceneRow,
  type TestClient,
  type Tokens,
} from './raidiam/scene.js';
import { PAGE_NOT_FOUND } from './slashid-clients/answers.js';
import { INVALID_CODE, INVALID_REFRESH_TOKEN } from './slashid/answers.js';
import * as standing from './slashid/standing.rows.js';
import * as token from './slashid/token.rows.js';
import type { CodeRow, Exchange } from './slashid/token.rows.js';

describe.each(databases)("SlashID's tokens on $name", (kind) => {
  let scene: Scene;
  let document: OpenApiDocument;
  const check = (row: SceneRow): Promise<void> => checkRow(scene, row);

  beforeAll(async () => {
    const key = await makeKey();
    scene = new Scene(await createWorld(kind, { configure: configured(key) }), key);
    document = (await scene.world.request('/openapi.json')).json<OpenApiDocument>();
  });
  afterAll(async () => {
    await scene.world.stop();
  });

  const browsers = new Map<string, ReturnType<Scene['world']['browser']>>();
  const exchange = async ({ client = KEEPER, scope = KEPT }: Partial<CodeRow> = {}): Promise<Exchange> => {
    const { world } = scene;
    const browser = browsers.get('alice') ?? world.browser();
    browsers.set('alice', browser);
    const { verifier, challenge } = pkce();
    world.ledger.add(verifier, 'verifier');
    const { searchParams } = await world.authorize({
      client,
      scope,
      browser,
      parameters: { code_challenge: challenge },
    });
    return { scene, client, verifier, challenge, code: searchParams.get('code') ?? '' };
  };
  const redeemed = async (client: TestClient = KEEPER, scope = KEPT): Promise<Required<Tokens>> =>
    (await token.redeem(await exchange({ client, scope }))).json<Required<Tokens>>();
  const expectDocumented = (path: string, status: number, answer: BrowserResponse): void => {
    const operation = document.paths[path]?.['post'];
    if (!operation) throw new Error(`${path} is not documented`);
    expect([answer.status, differences(document, operation, answer)]).toEqual([status, []]);
  };

  describe('client_credentials', () => {
    it.each(token.grantedRows)('200: $name', check);
    it.each(token.refusedRows)('refused: $name', check);
  });

  describe('authorization_code', () => {
    it.each(token.codeRows)('$name', async (row) => {
      const ready = await exchange(row);
      const before = await stored(scene.world);
      expect(scene.wire(await row.send(ready))).toStrictEqual(row.answer);
      const after = await stored(scene.world);
      if (row.answer.status === 200) expect(after).not.toEqual(before);
      else expect(after).toEqual(before);
    });

    it('"code single-use …; reuse revokes what it gave"', async () => {
      const ready = await exchange();
      const given = (await token.redeem(ready)).json<Tokens>();
      expect(scene.wire(await token.redeem(ready))).toStrictEqual(INVALID_CODE);
      expect(await scene.areActive(given)).toStrictEqual([false, false]);
    });
  });

  describe('refresh_token', () => {
    it.each(token.refreshRows)('$name', check);

    it('"beyond that a replay kills the family"', async () => {
      const first = await redeemed();
      const refresh = (text: string): Promise<BrowserResponse> =>
        token.tokens(scene, KEEPER, { grant_type: 'refresh_token', refresh_token: text });
      const second = (await refresh(first.refresh_token)).json<Required<Tokens>>();
      await refresh(second.refresh_token);
      expect(scene.wire(await refresh(first.refresh_token))).toStrictEqual(INVALID_REFRESH_TOKEN);
      expect(await scene.areActive(second)).toStrictEqual([false, false]);
    });
  });

  describe('introspect', () => {
    it.each(standing.introspectionRows)('$name', check);
  });
  describe('revoke', () => {
    it.each(standing.revocationRows)('$name', check);
  });
  describe('revoke-all', () => {
    it.each(standing.revokeAllRows)('$name', check);

    it('ends what the person allowed this client up to then, and nothing else', async () => {
      const [old, opaque, elsewhere] = [await redeemed(), await redeemed(OPAQUE_KEEPER), await redeemed(APP)];
      const { sub, grant_id: grant } = claimsOf(old.access_token);
      await scene.world.database.query('UPDATE grants SET created_at = created_at - 60000 WHERE id = ?', [grant]);
      const fresh = await redeemed();
      const until = new Date(Date.now() - 30_000).toISOString();
      await standing.revokeAll(scene, KEEPER, { person_id: String(sub), until });
      expect(await scene.areActive(old)).toStrictEqual([false, false]);
      for (const each of [fresh, opaque, elsewhere]) expect(await scene.areActive(each)).toStrictEqual([true, true]);
      await standing.revokeAll(scene, OPAQUE_KEEPER, { person_id: String(sub) });
      expect(await scene.areActive(opaque)).toStrictEqual([false, false]);
    });

    it('is recorded once, and only where there was something to end', async () => {
      const { sub } = claimsOf((await redeemed()).access_token);
      const records = (): Promise<unknown[]> =>
        scene.world.database.query(
          `SELECT client_id, outcome FROM audit_events WHERE event = 'token.revoked' AND reason = 'all' AND user_id = ?`,
          [sub],
        );
      const before = await records();
      for (let times = 0; times < 2; times += 1) await standing.revokeAll(scene, KEEPER, { person_id: String(sub) });
      expect((await records()).slice(before.length)).toStrictEqual([{ client_id: 'keeper', outcome: 'success' }]);
    });
  });

  describe('refused at', () => {
    it.each(standing.refusedRows)('$name', check);
  });

  it.each(['/oauth2', '/oauth2/nowhere', '/oauth2/tokens/nowhere', '/sso/oidc/nowhere'])(
    '"unknown route → 404 `text/plain` `404 page not found`": %s',
    async (path) => {
      expect(scene.wire(await scene.world.request(path, { method: 'POST' }))).toStrictEqual(PAGE_NOT_FOUND);
    },
  );

  it.each([
    ['/oauth2/tokens', '*'],
    ['/oauth2/tokens/revoke', '*'],
    ['/oauth2/tokens/introspect', null],
    ['/oauth2/tokens/revoke-all', null],
  ])('%s is for scripts of other origins: %s', async (path, allowed) => {
    const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' };
    const answer = await scene.world.request(path, { method: 'OPTIONS', headers });
    expect(answer.headers.get('access-control-allow-origin')).toBe(allowed);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('one engine behind all faces: what one issues, the others know, and what one revokes, all refuse', async () => {
    const { access_token: here, refresh_token: kept } = await redeemed();
    const { access_token: there } = await scene.allowed();
    expect(await scene.isActive(here)).toBe(true);
    expect((await standing.introspect(scene, KEEPER, { token: there })).json()).toMatchObject({ active: true });
    const linked = (await scene.world.pace(there)).status;
    expect((await scene.world.pace(here)).status).toBe(linked);
    await scene.revoke(KEEPER, kept);
    await standing.revoke(scene, KEEPER, { token: there });
    for (const each of [here, there]) {
      expect((await standing.introspect(scene, KEEPER, { token: each })).json()).toStrictEqual({ active: false });
      expect(await scene.isActive(each)).toBe(false);
      expect((await scene.world.onezone(each)).json()).toMatchObject({
        error: { details: { authError: { id: 'tokenRevoked' } } },
      });
    }
  });

  it('answers as it is documented', async () => {
    const { access_token: text, refresh_token: kept } = await redeemed();
    const ask = (path: string, form: Record<string, string>): Promise<BrowserResponse> =>
      scene.ask(`/oauth2/tokens${path}`, KEEPER, { form });
    const sub = String(claimsOf(text)['sub']);
    expectDocumented('/oauth2/tokens', 200, await ask('', { grant_type: 'refresh_token', refresh_token: kept }));
    expectDocumented('/oauth2/tokens', 400, await ask('', { grant_type: 'password' }));
    expectDocumented(
      '/oauth2/tokens',
      403,
      await scene.ask('/oauth2/tokens', APP, { form: { grant_type: 'client_credentials' } }),
    );
    expectDocumented('/oauth2/tokens/introspect', 200, await ask('/introspect', { token: text }));
    expectDocumented('/oauth2/tokens/introspect', 200, await ask('/introspect', { token: 'nonsense' }));
    expectDocumented('/oauth2/tokens/revoke', 200, await ask('/revoke', { token: text }));
    expectDocumented('/oauth2/tokens/revoke-all', 200, await ask('/revoke-all', { person_id: sub }));
    expectDocumented('/oauth2/tokens/revoke-all', 400, await ask('/revoke-all', {}));
    const giant = await scene.ask('/oauth2/tokens', MACHINE, { form: { padding: 'x'.repeat(65_536) } });
    expectDocumented('/oauth2/tokens', 413, giant);
  });

  it('leaves no secret in any output or in the database', async () => {
    await scene.world.assertNoLeaks();
  });
});
