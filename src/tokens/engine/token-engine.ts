import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../../audit/index.js';
import { ClientAuthentication, type Client, type PresentedClient } from '../../clients/index.js';
import { Clock, epochSeconds } from '../../common/clock.js';
import { DomainError, invalidParameter } from '../../common/domain-error.js';
import type { Secret } from '../../common/secret.js';
import { Configuration, type ClientAuthenticationMethod } from '../../config/index.js';
import { UnitOfWork } from '../../database/index.js';
import { AccessTokens } from '../access-tokens/access-tokens.js';
import { RefreshTokens, type IssuedRefreshToken } from '../refresh-tokens/refresh-tokens.js';
import { JwtSigner } from '../signing/jwt-signer.js';
import { GrantHandlers, type Claim, type GrantHandler, type Issue } from './grant-handler.js';
import { isRefreshable, refuseScopeBeyond, requestedScope } from './scope-policy.js';
import type { TokenResult } from './token-result.js';

export interface TokenRequest {
  client: PresentedClient | undefined;
  grantType: string | undefined;
  parameters: ReadonlyMap<string, string>;
  /** Where the request itself names how the client is to prove itself. */
  requiredMethod?: ClientAuthenticationMethod;
  /** The face's own default for access tokens, in seconds: behind what the client says, before the environment. */
  accessTokenLifetime?: number;
}

/** A request of which nothing but the credential is left to judge. */
interface Proven {
  client: Client;
  grantType: string;
  issue: Issue;
  accessTokenLifetime: number;
}

const ID_TOKEN_TTL_SECONDS = 600;

/** The one place where tokens come from, whatever face asked. Its order is the list in `exchange`. */
@Injectable()
export class TokenEngine {
  constructor(
    @Inject(ClientAuthentication) private readonly clients: ClientAuthentication,
    @Inject(GrantHandlers) private readonly grants: GrantHandlers,
    @Inject(AccessTokens) private readonly accessTokens: AccessTokens,
    @Inject(RefreshTokens) private readonly refreshTokens: RefreshTokens,
    @Inject(JwtSigner) private readonly signer: JwtSigner,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  /** @throws DomainError; what a refusal had to write (the revocation after a reuse) is committed by then. */
  async exchange(request: TokenRequest): Promise<TokenResult> {
    const client = await this.#authenticate(request);
    const grant = this.#allowedGrant(client, request.grantType);
    const parameters = own(grant, request.parameters);
    const scope = requestedScope(client, parameters.get('scope'));
    const issue = await grant.authorize({ client, scope, parameters });
    const accessTokenLifetime =
      client.accessTokenLifetime ?? request.accessTokenLifetime ?? this.configuration.environment.ACCESS_TOKEN_TTL;
    const settled = await this.#settle({ client, grantType: grant.grantType, issue, accessTokenLifetime });
    if (settled instanceof DomainError) throw settled;
    return settled;
  }

  async #authenticate({ client: presented, requiredMethod }: TokenRequest): Promise<Client> {
    const client = await this.clients.authenticate(presented);
    if (requiredMethod !== undefined && client.tokenEndpointAuthMethod !== requiredMethod) {
      throw new DomainError('client.unauthenticated', {
        publicDetail: 'Client authentication failed.',
        privateDetail: `the request demands ${requiredMethod}`,
      });
    }
    return client;
  }

  #allowedGrant(client: Client, grantType: string | undefined): GrantHandler {
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

  /** One transaction, save where one row is all that is written: of a client that acts for itself and gets a JWT. */
  #settle(proven: Proven): Promise<TokenResult | DomainError> {
    const work = () => this.#claimAndIssue(proven);
    const severalWrites = proven.issue.claim !== undefined || proven.client.accessTokenFormat === 'opaque';
    return severalWrites ? this.unitOfWork.run(work) : work();
  }

  /** Why the credential cannot be spent is answered rather than thrown: what was written because of it is committed. */
  async #claimAndIssue(proven: Proven): Promise<TokenResult | DomainError> {
    const { client, issue } = proven;
    const claim: Claim = (await issue.claim?.()) ?? { outcome: 'claimed' };
    if (claim.outcome === 'refused') {
      await this.#record(proven, claim.error);
      return claim.error;
    }
    const { scope } = claim.outcome === 'repeated' ? claim.answer : issue;
    // After the claim, for a reuse has to be seen first; and thrown, so that the credential is not spent.
    refuseScopeBeyond(client, scope, { ofUser: issue.userId !== undefined });
    const answer = claim.outcome === 'repeated' ? claim.answer : await this.#issue(proven);
    await this.#record(proven);
    return answer;
  }

  #record({ client, grantType, issue }: Proven, error?: DomainError): Promise<void> {
    return this.audit.record({
      event: error?.code === 'grant.reused' ? 'token.reused' : 'token.issued',
      outcome: error ? 'failure' : 'success',
      userId: issue.userId,
      clientId: client.clientId,
      reason: grantType,
    });
  }

  async #issue({ client, issue, accessTokenLifetime }: Proven): Promise<TokenResult> {
    const iat = epochSeconds(this.clock.now());
    const exp = iat + accessTokenLifetime;
    const common = {
      iss: this.configuration.issuer,
      sub: issue.subject,
      iat,
      ...(issue.authTime !== undefined && { auth_time: epochSeconds(issue.authTime) }),
      ...(issue.sessionId !== undefined && { sid: issue.sessionId }),
    };
    const accessToken = await this.accessTokens.issue(client, {
      ...common,
      exp,
      client_id: client.clientId,
      scope: issue.scope.join(' '),
      ...(issue.grantId !== undefined && { grant_id: issue.grantId }),
    });
    const refreshToken = await this.#refreshToken(client, issue);
    const answer = {
      accessToken,
      refreshToken: refreshToken?.token,
      idToken: await this.#idToken(client, issue, common),
      expiresInSeconds: accessTokenLifetime,
      scope: issue.scope,
    };
    await issue.issued?.(answer, Math.max(exp * 1000, refreshToken?.expiresAt ?? 0));
    return answer;
  }

  async #refreshToken(client: Client, { grantId, scope, family }: Issue): Promise<IssuedRefreshToken | undefined> {
    const granted = family?.scope ?? scope;
    if (grantId === undefined || !isRefreshable(client, granted)) return undefined;
    return this.refreshTokens.issue(client, { grantId, scope: granted, expiresAt: family?.expiresAt });
  }

  async #idToken(
    client: Client,
    { scope, claims, nonce }: Issue,
    common: Readonly<Record<string, unknown>> & { iat: number },
  ): Promise<Secret | undefined> {
    if (!scope.includes('openid')) return undefined;
    return this.signer.sign(client.idTokenSignedResponseAlg, 'JWT', {
      ...claims,
      ...common,
      aud: client.clientId,
      exp: common.iat + ID_TOKEN_TTL_SECONDS,
      ...(nonce !== undefined && { nonce }),
    });
  }
}

/** A grant sees the parameters that it names, so that none can come to depend on another's. */
function own({ parameters: names }: GrantHandler, presented: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...presented].filter(([name]) => names.includes(name)));
}
