import { expect } from 'vitest';
import type { BrowserResponse } from './http-browser.js';
import { Normaliser, stored, type Wire } from './wire.js';
import { PROVIDER, type AuthorizeOptions, type TokenAnswer, type World } from './world.js';

/** What a row sends its request with. */
export interface Actor {
  world: World;
  token: string;
  idToken: string;
  login: string;
}

/** One row of a face's contract: a request, and the whole answer to it. */
export interface Row {
  name: string;
  /** Who asks; alice through the client `reader` where nothing is said. A row that changes its user has one of its own. */
  as?: AuthorizeOptions;
  given?: (actor: Actor) => Promise<unknown>;
  send: (actor: Actor) => Promise<BrowserResponse>;
  answer: Wire;
  /** How many requests arrive at the provider's token endpoint because of it; none where nothing is said. */
  asks?: number;
  /** Something besides the audit is stored. */
  stores?: boolean;
}

/** A world with its users signed in, each once. */
export class Stage {
  readonly normaliser = new Normaliser();
  readonly #signIns = new Map<string, Promise<TokenAnswer>>();

  constructor(readonly world: World) {}

  async actor(as: AuthorizeOptions = {}): Promise<Actor> {
    const { login = 'alice' } = as;
    const key = JSON.stringify([login, as.client, as.scope, as.provider]);
    const signIn = this.#signIns.get(key) ?? this.world.signIn({ ...as, login });
    this.#signIns.set(key, signIn);
    const { access_token: token, id_token: idToken = '' } = await signIn;
    return { world: this.world, token, idToken, login };
  }

  async check(row: Row): Promise<void> {
    const actor = await this.actor(row.as);
    await row.given?.(actor);
    this.world.upstream.resetCounts();
    const before = await stored(this.world);
    const answer = await row.send(actor);
    expect(this.normaliser.wire(answer)).toStrictEqual(row.answer);
    expect(this.world.upstream.counts.refresh.attempted).toBe(row.asks ?? 0);
    const after = await stored(this.world);
    if (row.stores === true) expect(after).not.toEqual(before);
    else expect(after).toEqual(before);
  }
}

const LIFETIME_MS = 3_600_000;

/** The upstream access token has so many seconds left of its hour. */
export function expiresIn(seconds: number): (actor: Actor) => Promise<unknown> {
  const expiresAt = (): number => Date.now() + seconds * 1000;
  return ({ world, login }) =>
    world.database.query('UPDATE linked_accounts SET expires_at = ?, obtained_at = ? WHERE subject = ?', [
      expiresAt(),
      expiresAt() - LIFETIME_MS,
      login,
    ]);
}

/** One column of the actor's account at the provider. */
export function account(column: 'refresh_token' | 'unlinked_at', value: unknown): (actor: Actor) => Promise<unknown> {
  return ({ world, login }) =>
    world.database.query(`UPDATE linked_accounts SET ${column} = ? WHERE subject = ?`, [value, login]);
}

const OF_LOGIN = '(SELECT user_id FROM linked_accounts WHERE subject = ? AND identity_provider = ?)';

export function blocked({ world, login }: Actor): Promise<unknown> {
  return world.database.query(`UPDATE users SET blocked_at = ? WHERE id = ${OF_LOGIN}`, [Date.now(), login, PROVIDER]);
}

export function grantRevoked({ world, login }: Actor): Promise<unknown> {
  return world.database.query(`UPDATE grants SET revoked_at = ? WHERE user_id = ${OF_LOGIN}`, [
    Date.now(),
    login,
    PROVIDER,
  ]);
}

export function clientDisabled(clientId: string): (actor: Actor) => Promise<unknown> {
  return ({ world }) =>
    world.database.query('UPDATE clients SET disabled_at = ? WHERE client_id = ?', [Date.now(), clientId]);
}

/** Several preparations, one after the other. */
export function all(...steps: ((actor: Actor) => unknown)[]): (actor: Actor) => Promise<unknown> {
  return async (actor) => {
    for (const step of steps) await step(actor);
  };
}
