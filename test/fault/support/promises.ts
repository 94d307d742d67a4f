import { expect } from 'vitest';
import type { Row } from '../../support/databases.js';
import type { World } from '../../support/world.js';

export interface Exceptions {
  /** Refresh tokens that the provider was bound to see twice: whoever redeemed them first was cut off from it. */
  unavoidable?: readonly string[];
}

/** What must be true of every world at every time, whatever happened to it. */
export async function expectPromisesKept(world: World, { unavoidable = [] }: Exceptions = {}): Promise<void> {
  expect(reused(world).filter((token) => !unavoidable.includes(token))).toHaveLength(0);
  expect(world.upstream.serverErrors).toEqual([]);
  expect(await withoutTokens(world)).toEqual([]);
  expect(await lostInSilence(world)).toEqual([]);
  expect(await unaudited(world)).toEqual([]);
}

/** Refresh tokens that the provider saw more than once. */
export function reused(world: World): string[] {
  const seen = world.upstream.refreshTokensSeen;
  return [...new Set(seen.filter((token, index) => seen.indexOf(token) !== index))];
}

/** Accounts that call themselves active and have nothing to serve or to refresh. */
function withoutTokens(world: World): Promise<Row[]> {
  return world.database.query(
    `SELECT subject FROM linked_accounts WHERE status = 'active' AND unlinked_at IS NULL
     AND (access_token IS NULL OR refresh_token IS NULL OR data_key IS NULL)`,
  );
}

/** Accounts whose user has to link them again, though no audit record says why. */
function lostInSilence(world: World): Promise<Row[]> {
  return world.database.query(
    `SELECT subject, reason FROM linked_accounts account WHERE status = 'reauthentication-required' AND NOT EXISTS (
       SELECT 1 FROM audit_events WHERE event = 'upstream-token.refreshed' AND outcome = 'failure'
       AND user_id = account.user_id AND identity_provider = account.identity_provider AND reason = account.reason)`,
  );
}

/** Accounts with tokens that no audit record tells of, neither of a link nor of a refresh; and links that were undone unsaid. */
function unaudited(world: World): Promise<Row[]> {
  return world.database.query(
    `SELECT subject FROM linked_accounts account
     WHERE (refreshed_at IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM audit_events WHERE event = 'upstream-token.refreshed' AND outcome = 'success'
       AND user_id = account.user_id AND identity_provider = account.identity_provider))
     OR (unlinked_at IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM audit_events WHERE event = 'identity.unlinked'
       AND user_id = account.user_id AND identity_provider = account.identity_provider))`,
  );
}
