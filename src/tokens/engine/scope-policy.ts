import type { Client } from '../../clients/index.js';
import { DomainError } from '../../common/domain-error.js';
import { ADMIN_SCOPE, OFFLINE_ACCESS_SCOPE } from '../../config/index.js';

/** RFC 6749 section 3.3, scope-token. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * What a request asks for; undefined where it leaves that to the grant.
 * @throws DomainError `scope.invalid` where it is malformed or more than the client is registered for
 */
export function requestedScope(client: Client, parameter: string | undefined): readonly string[] | undefined {
  if (parameter === undefined) return undefined;
  const scope = [...new Set(parameter.split(' ').filter((name) => name !== ''))];
  if (scope.length === 0 || !scope.every((name) => SCOPE_TOKEN.test(name))) {
    throw new DomainError('scope.invalid', { publicDetail: 'scope is malformed.' });
  }
  if (!isWithin(scope, client.scope)) {
    throw new DomainError('scope.invalid', { publicDetail: 'The client is not registered for all of this scope.' });
  }
  return scope;
}

/**
 * What a client may have can have shrunk since the user allowed it, and nobody ever allows it the administration.
 * @throws DomainError `scope.invalid`
 */
export function refuseScopeBeyond(client: Client, scope: readonly string[], { ofUser }: { ofUser: boolean }): void {
  if (!isWithin(scope, client.scope) || (ofUser && scope.includes(ADMIN_SCOPE))) {
    throw new DomainError('scope.invalid', { publicDetail: 'The client may no longer have this scope.' });
  }
}

/**
 * Whether a client gets refresh tokens for what a user allowed it: with `openid` only where the user allowed it to keep
 * its access while they are away. @see OpenID Connect Core 1.0 section 11
 */
export function isRefreshable(client: Client, scope: readonly string[]): boolean {
  const whileAway = !scope.includes('openid') || scope.includes(OFFLINE_ACCESS_SCOPE);
  return whileAway && client.grantTypes.includes('refresh_token');
}

export function isWithin(scope: readonly string[], limit: readonly string[]): boolean {
  return scope.every((name) => limit.includes(name));
}
