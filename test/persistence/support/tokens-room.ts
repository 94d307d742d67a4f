import { Audit } from '../../../src/audit/index.js';
import { ClientAuthentication } from '../../../src/clients/index.js';
import { ClientsRepository } from '../../../src/clients/clients.repository.js';
import { Secret } from '../../../src/common/secret.js';
import { Readiness } from '../../../src/health/index.js';
import { Jobs } from '../../../src/jobs/index.js';
import { AccessTokenRecords } from '../../../src/tokens/access-tokens/access-token-records.js';
import { AccessTokens } from '../../../src/tokens/access-tokens/access-tokens.js';
import { Callers } from '../../../src/tokens/access-tokens/callers.js';
import { GrantHandlers } from '../../../src/tokens/engine/grant-handler.js';
import { TokenEngine } from '../../../src/tokens/engine/token-engine.js';
import type { TokenResult } from '../../../src/tokens/engine/token-result.js';
import { AuthorizationCodeGrant } from '../../../src/tokens/grants/authorization-code.grant.js';
import { AuthorizationCodes } from '../../../src/tokens/grants/authorization-codes.js';
import { ClientCredentialsGrant } from '../../../src/tokens/grants/client-credentials.grant.js';
import { EndedGrants } from '../../../src/tokens/grants/ended-grants.js';
import { GrantsRepository } from '../../../src/tokens/grants/grants.repository.js';
import { RefreshTokenGrant } from '../../../src/tokens/grants/refresh-token.grant.js';
import { RefreshTokens } from '../../../src/tokens/refresh-tokens/refresh-tokens.js';
import { JwtSigner } from '../../../src/tokens/signing/jwt-signer.js';
import { SigningKeyRotation } from '../../../src/tokens/signing/signing-key-rotation.js';
import { SigningKeys } from '../../../src/tokens/signing/signing-keys.js';
import { UsersRepository } from '../../../src/users/index.js';
import type { Replica } from './storage.js';

/** The engine and its grants on one replica, as the service puts them together. */
export async function tokensRoomOf(replica: Replica) {
  const { unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows, configuration } = replica;
  const audit = new Audit(unitOfWork, clock, randomness);
  const jobs = new Jobs(unitOfWork, clock, randomness);
  const users = new UsersRepository(unitOfWork, clock, randomness);
  const clients = new ClientsRepository(unitOfWork, clock, randomness);
  const grants = new GrantsRepository(unitOfWork, clock, randomness);
  const keys = new SigningKeys(unitOfWork, clock, envelopes, encryptedTables, new Readiness());
  const rotation = new SigningKeyRotation(unitOfWork, clock, configuration, envelopes, keys, audit, jobs);
  await rotation.onModuleInit();
  const signer = new JwtSigner(keys);
  const codes = new AuthorizationCodes(unitOfWork, clock, randomness, configuration, grants, expiredRows);
  const refreshTokens = new RefreshTokens(
    unitOfWork,
    clock,
    randomness,
    configuration,
    envelopes,
    encryptedTables,
    expiredRows,
  );
  const accessTokens = new AccessTokens(
    keys,
    signer,
    new AccessTokenRecords(unitOfWork, clock, expiredRows),
    new Callers(grants, clients, users),
    configuration,
    clock,
    randomness,
  );
  const handlers = new GrantHandlers();
  for (const handler of [
    new AuthorizationCodeGrant(handlers, codes, grants, users, clock),
    new ClientCredentialsGrant(handlers),
    new RefreshTokenGrant(handlers, refreshTokens, grants, users, clock),
  ]) {
    handlers.register(handler);
  }
  const engine = new TokenEngine(
    new ClientAuthentication(clients),
    handlers,
    accessTokens,
    refreshTokens,
    signer,
    unitOfWork,
    audit,
    clock,
    configuration,
  );
  const endedGrants = new EndedGrants(unitOfWork, clock, refreshTokens, jobs);
  return { users, clients, grants, codes, refreshTokens, accessTokens, engine, endedGrants };
}

export type TokensRoom = Awaited<ReturnType<typeof tokensRoomOf>>;

/** An answer as it goes over the wire. */
export function revealed({ accessToken, refreshToken, idToken, ...rest }: TokenResult) {
  return {
    ...rest,
    accessToken: accessToken.reveal(),
    refreshToken: refreshToken?.reveal(),
    idToken: idToken?.reveal(),
  };
}

/** A token that there has to be. */
export function present(token: Secret | undefined): Secret {
  if (!token) throw new Error('there is no such token');
  return token;
}
