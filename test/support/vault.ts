import { setTimeout as delay } from 'node:timers/promises';
import { Latch } from '../persistence/support/latch.js';
import type { Row } from './databases.js';
import type { Browser } from './http-browser.js';
import type { Service } from './service.js';
import { CLIENTS, PROVIDER, type TokenAnswer, type World } from './world.js';

/** What the tests of the vault do and look at, from outside: over HTTP, and in the database. */

const POLL_MS = 20;
const WITHIN_MS = 15_000;

/** Waits until something has become true; fails when it does not. */
export async function eventually(
  what: string,
  isTrue: () => Promise<boolean> | boolean,
  withinMs = WITHIN_MS,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await delay(POLL_MS);
  }
}

/** The live row of an account, its numbers as numbers on both databases. */
export async function linkedAccount(world: World, subject: string): Promise<Row> {
  const [row] = await world.database.query(
    'SELECT * FROM linked_accounts WHERE identity_provider = ? AND subject = ? AND unlinked_at IS NULL',
    [PROVIDER, subject],
  );
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([name, value]) => [
      name,
      /_at$|^generation$/.test(name) && value !== null ? Number(value) : value,
    ]),
  );
}

export async function updateAccount(world: World, subject: string, changes: Row): Promise<void> {
  const assignments = Object.keys(changes).map((name) => `${name} = ?`);
  await world.database.query(
    `UPDATE linked_accounts SET ${assignments.join(', ')} WHERE identity_provider = ? AND subject = ?`,
    [...Object.values(changes), PROVIDER, subject],
  );
}

/** As if the provider had given the token for `lifetimeSeconds`, of which so many are left. */
export async function setRemaining(world: World, subject: string, secondsLeft: number, lifetimeSeconds = 3600) {
  const expiresAt = Date.now() + secondsLeft * 1000;
  await updateAccount(world, subject, { expires_at: expiresAt, obtained_at: expiresAt - lifetimeSeconds * 1000 });
}

export async function audited(world: World, subject: string): Promise<Row[]> {
  return world.database.query(
    `SELECT event, outcome, reason, client_id, identity_provider FROM audit_events
     WHERE user_id = (SELECT user_id FROM linked_accounts WHERE identity_provider = ? AND subject = ?) ORDER BY at`,
    [PROVIDER, subject],
  );
}

/** What a reader is told, in the words of the vault rather than of a face. */
export interface Reading {
  status: number;
  token: string | undefined;
  secondsLeft: number | undefined;
  refreshToken: string | undefined;
  scope: string | undefined;
  retryAfter: string | null;
}

/** One for all reads of a world: connections are dear where hundreds read at once. */
const programs = new WeakMap<World, Browser>();

function program(world: World): Browser {
  const known = programs.get(world) ?? world.browser();
  programs.set(world, known);
  return known;
}

export type FaceName = 'pace' | 'onezone';

/** Reads through one face, at the first process or at the one that is named. */
export async function read(
  world: World,
  token: string,
  { face = 'pace', at = world.service }: { face?: FaceName; at?: Pick<Service, 'url'> } = {},
): Promise<Reading> {
  const [path, headers] =
    face === 'pace'
      ? [`/federated-identities/${PROVIDER}/token`, { authorization: `Bearer ${token}` }]
      : [`/api/v3/onezone/user/idp_access_token/${PROVIDER}`, { 'x-auth-token': token }];
  const answer = await program(world).request(at.url + path, { method: 'POST', headers });
  const body = answer.json<{
    access_token?: string;
    token?: string;
    expires_in?: number;
    ttl?: number;
    refresh_token?: string;
    scope?: string;
  }>();
  return {
    status: answer.status,
    token: body.access_token ?? body.token,
    secondsLeft: body.expires_in ?? body.ttl,
    refreshToken: body.refresh_token,
    scope: body.scope,
    retryAfter: answer.headers.get('retry-after'),
  };
}

/** Signs in and returns our access token, together with what the provider gave. */
export async function signInCapturing(
  world: World,
  login: string,
  alter: (body: Record<string, unknown>) => Record<string, unknown> = (body) => body,
): Promise<{ token: string; given: Record<string, unknown> }> {
  let given: Record<string, unknown> = {};
  world.upstream.alterNext(1, (body) => {
    given = alter(body);
    return given;
  });
  const { access_token: token } = await world.signIn({ login });
  return { token, given };
}

/** The token of a client that is told the upstream refresh token. */
export async function signInTrusted(world: World, login: string): Promise<string> {
  const answer: TokenAnswer = await world.signIn({ login, client: CLIENTS.trusted });
  return answer.access_token;
}

export interface HeldAnswer {
  /** The provider has processed the request and the answer is being held. */
  reached: Promise<void>;
  release: () => void;
}

/** Holds the provider's next answer, and only that: others, such as a login's, pass meanwhile. */
export function holdNextAnswer(
  world: World,
  alter: (body: Record<string, unknown>) => Record<string, unknown> = (body) => body,
): HeldAnswer {
  const reached = new Latch();
  const released = new Latch();
  world.upstream.alterNext(1, async (body) => {
    reached.open();
    await released.opened;
    return alter(body);
  });
  return { reached: reached.opened, release: () => released.open() };
}

/** How many refreshes the provider was asked for, and whether it saw any refresh token twice. */
export function redemptions(world: World): { attempted: number; reused: boolean } {
  const seen = world.upstream.refreshTokensSeen;
  return { attempted: world.upstream.counts.refresh.attempted, reused: new Set(seen).size !== seen.length };
}

/** As if so much time had passed that every provider, and the account (or all of them), may be refreshed again. */
export async function endBackOff(world: World, subject?: string): Promise<void> {
  const waiting = 'UPDATE linked_accounts SET retry_at = 1 WHERE retry_at IS NOT NULL';
  await (subject === undefined
    ? world.database.query(waiting)
    : world.database.query(`${waiting} AND subject = ?`, [subject]));
  await world.database.query('UPDATE upstream_circuits SET retry_at = 1');
}

/** Has a job run now, wherever, and waits until it is done; by itself it does not run again while the test lasts. */
export async function runJob(world: World, name: string): Promise<void> {
  const state = async (): Promise<Row> => {
    const [row] = await world.database.query('SELECT * FROM jobs WHERE name = ?', [name]);
    return row ?? {};
  };
  await eventually(`${name} is not under way`, async () => (await state())['lease_owner'] === null);
  await world.database.query('UPDATE jobs SET next_run_at = 0, outcome = NULL WHERE name = ?', [name]);
  await eventually(`${name} is done`, async () => (await state())['outcome'] === 'done');
  await world.database.query('UPDATE jobs SET next_run_at = NULL WHERE name = ?', [name]);
}
