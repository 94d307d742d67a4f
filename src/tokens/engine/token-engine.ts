import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../../audit/index.js';
import { ClientAuthentication, type Client, type PresentedClient } from '../../clients/index.js';
import { Clock, epochSeconds } from '../../common/clock.js';
import { DomainError, invalidParameter } from '../../common/domain-error.js';
import { Randomness } from '../../common/random.js';
import { Secret } from '../../common/secret.js';
import { Configuration, type ClientAuthenticationMethod } from '../../config/index.js';
import { UnitOfWork } from '../../database/index.js';
import { JwtSigner } from '../signing/jwt-signer.js';
import { GrantHandlers, type GrantHandler, type Issue } from './grant-handler.js';

export interface TokenRequest {
  client: PresentedClient | undefined;
  grantType: string | undefined;
  parameters: ReadonlyMap<string, string>;
  /** Where the request itself names how the client is to prove itself. */
  requiredMethod?: ClientAuthenticationMethod;
}

export interface TokenResult {
  accessToken: Secret;
  refreshToken: Secret | undefined;
  idToken: Secret | undefined;
  expiresInSeconds: number;
  scope: readonly string[];
}

/** RFC 9068 section 2.1. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
const ID_TOKEN_TTL_SECONDS = 600;

/** The one place where tokens come from, whatever face asked. Its order is the list in `exchange`. */
@Injectable()
export class TokenEngine {
  constructor(
    @Inject(ClientAuthentication) private readonly clients: ClientAuthentication,
    @Inject(GrantHandlers) private readonly grants: GrantHandlers,
    @Inject(JwtSigner) private readonly signer: JwtSigner,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  /** @throws DomainError; what a refusal had to write (the revocation after a reuse) is committed by then. */
  async exchange(request: TokenRequest): Promise<TokenResult> {
    const client = await this.clients.authenticate(request.client);
    const grant = this.#allowedGrant(client, request.grantType);
    const issue = await grant.authorize({ client, parameters: own(grant, request.parameters) });
    await this.#claim(client, issue, grant.grantType);
    return this.#sign(client, issue);
  }

  #allowedGrant(client: Client, grantType: string | undefined) {
    if (grantType === undefined) throw invalidParameter('grant_type', 'is missing');
    const handler = this.grants.find(grantType);
    if (!handler) throw new DomainError('grant.unsupported', { publicDetail: 'The grant type is not supported.' });
    if (!client.grantTypes.includes(grantType)) {
      throw new DomainError('client.grant-not-allowed', {
        publicDetail: 'The client is not registered for this grant type.',
      });
    }
    return handler;
  }

  /** What a client may have can have shrunk since the user allowed it. */
  #refuseScopeBeyondClient(client: Client, { scope }: Issue): void {
    if (scope.some((name) => !client.scope.includes(name))) {
      throw new DomainError('scope.invalid', { publicDetail: 'The client may no longer have this scope.' });
    }
  }

  async #claim(client: Client, issue: Issue, grantType: string): Promise<void> {
    const refused = await this.unitOfWork.run(async () => {
      const error = await issue.claim();
      // After the claim, for a reuse has to be seen first; and thrown, so that the credential is not spent.
      if (!error) this.#refuseScopeBeyondClient(client, issue);
      await this.audit.record({
        event: error?.code === 'grant.reused' ? 'token.reused' : 'token.issued',
        outcome: error ? 'failure' : 'success',
        userId: issue.userId,
        clientId: client.clientId,
        reason: grantType,
      });
      return error;
    });
    if (refused) throw refused;
  }

  async #sign(client: Client, issue: Issue): Promise<TokenResult> {
    const issuedAt = epochSeconds(this.clock.now());
    const expiresInSeconds = this.configuration.environment.ACCESS_TOKEN_TTL;
    const common = {
      iss: this.configuration.issuer,
      sub: issue.subject,
      iat: issuedAt,
      ...(issue.authTime !== undefined && { auth_time: epochSeconds(issue.authTime) }),
      ...(issue.sessionId !== undefined && { sid: issue.sessionId }),
    };
    const accessToken = await this.signer.sign('ES256', ACCESS_TOKEN_TYPE, {
      ...common,
      aud: this.configuration.issuer,
      exp: issuedAt + expiresInSeconds,
      jti: this.randomness.id(),
      client_id: client.clientId,
      scope: issue.scope.join(' '),
      ...(issue.grantId !== undefined && { grant_id: issue.grantId }),
    });
    const idToken = issue.scope.includes('openid')
      ? await this.signer.sign(client.idTokenSignedResponseAlg, 'JWT', {
          ...issue.claims,
          ...common,
          aud: client.clientId,
          exp: issuedAt + ID_TOKEN_TTL_SECONDS,
          ...(issue.nonce !== undefined && { nonce: issue.nonce }),
        })
      : undefined;
    return { accessToken, refreshToken: undefined, idToken, expiresInSeconds, scope: issue.scope };
  }
}

/** A grant sees the parameters that it names, so that none can come to depend on another's. */
function own({ parameters: names }: GrantHandler, presented: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...presented].filter(([name]) => names.includes(name)));
}
