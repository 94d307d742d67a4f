import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Audit } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import { DomainError } from '../common/domain-error.js';
import type { Secret } from '../common/secret.js';
import { Configuration, PROFILE_CLAIMS } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import {
  IdentityProvidersRepository,
  type IdentityProvider,
  type UserinfoClaims,
} from '../identity-providers/index.js';
import { LinkedAccounts, type UpstreamIdentity } from '../idp-offline-access/index.js';
import { Sessions } from '../sessions/index.js';
import { PasswordAuthentication, UsersRepository, type User, type Verifier } from '../users/index.js';
import type { UpstreamSignIn } from './strategies/code-flow.strategy.js';

const CLOCK_TOLERANCE_MS = 10_000;

/** Turns a proven upstream identity into a signed-in user, or into a further account of one. */
@Injectable()
export class SignIn {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(LinkedAccounts) private readonly accounts: LinkedAccounts,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(PasswordAuthentication) private readonly passwords: PasswordAuthentication,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  /**
   * Finishes what the attempt was started for.
   * @throws DomainError `access.forbidden` where the provider admits no new users, `user.blocked`,
   * `identity.held-by-another-user`; nothing is stored then
   */
  async complete(request: Request, response: Response, signIn: UpstreamSignIn): Promise<void> {
    const { connectUserId } = signIn.attempt;
    try {
      if (connectUserId === undefined) await this.#signInOnceKnown(request, response, signIn);
      else await this.#connect(request, signIn, connectUserId);
    } catch (error) {
      if (error instanceof DomainError) await this.recordRefusal(signIn, error);
      throw error;
    }
  }

  /**
   * Signs in with a password.
   * @throws DomainError as `PasswordAuthentication.signIn` does
   */
  async withPassword(request: Request, response: Response, username: string, password: Secret): Promise<void> {
    try {
      const started = await this.passwords.signIn(username, password, async ({ id: userId }) => {
        await this.audit.record({ event: 'user.signed-in', outcome: 'success', userId, reason: 'password' });
        return this.sessions.start(request, { userId, authTime: this.clock.now(), authTimeProven: true });
      });
      this.sessions.hand(started, response);
    } catch (error) {
      if (error instanceof DomainError) await this.#recordPasswordRefusal(error);
      throw error;
    }
  }

  /** Whose password it was to be is not recorded: people type passwords into the field above. */
  async #recordPasswordRefusal({ code, meta }: DomainError): Promise<void> {
    // Throttled, it was not even looked at: a guesser must not fill the log faster than they may guess.
    if (meta.retryAfterSeconds !== undefined) return;
    await this.audit.record({ event: 'user.signed-in', outcome: 'failure', reason: code });
  }

  async #signInOnceKnown(request: Request, response: Response, signIn: UpstreamSignIn): Promise<void> {
    try {
      await this.#signIn(request, response, signIn);
    } catch (error) {
      // Whose account it is has changed at the same moment: somebody signed up with it, or unlinked it.
      if (!(error instanceof DomainError) || error.code !== 'identity.held-by-another-user') throw error;
      await this.#signIn(request, response, signIn);
    }
  }

  /** Records that the sign-in or the connecting that was under way has failed. */
  recordRefusal(
    { provider, attempt }: Pick<UpstreamSignIn, 'provider' | 'attempt'>,
    { code }: DomainError,
  ): Promise<void> {
    return this.audit.record({
      event: attempt.connectUserId === undefined ? 'user.signed-in' : 'identity.linked',
      outcome: 'failure',
      userId: attempt.connectUserId,
      identityProvider: provider.id,
      reason: code,
    });
  }

  async #signIn(request: Request, response: Response, signIn: UpstreamSignIn): Promise<void> {
    const { provider, identity } = signIn;
    const started = await this.unitOfWork.run(async () => {
      const found = await this.#userOf(signIn);
      if (found) {
        refuseBlocked(await this.users.hold(found.userId));
        // Only now can nobody change it any more.
        const { userId: still } = (await this.#userOf(signIn)) ?? {};
        if (still !== found.userId) throw new DomainError('identity.held-by-another-user');
      }
      const userId = found?.userId ?? (await this.#signUp(signIn));
      const linkedAccountId = await this.#link(userId, signIn, { reason: found?.reason });
      await this.audit.record({ event: 'user.signed-in', outcome: 'success', userId, identityProvider: provider.id });
      const provenAt = identity.authTime === undefined ? undefined : identity.authTime * 1000;
      return this.sessions.start(request, {
        userId,
        identityProvider: provider.id,
        linkedAccountId,
        authTime: provenAt ?? this.clock.now(),
        authTimeProven: provenAt !== undefined && provenAt <= this.clock.now() + CLOCK_TOLERANCE_MS,
      });
    });
    this.sessions.hand(started, response);
  }

  async #connect(request: Request, signIn: UpstreamSignIn, userId: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      const user = await this.users.hold(userId);
      const session = await this.sessions.current(request);
      if (session?.userId !== userId) {
        throw new DomainError('access.forbidden', {
          publicDetail: 'You are no longer signed in as the user whose account was to be connected.',
        });
      }
      refuseBlocked(user);
      await this.#link(userId, signIn, { connectedInSession: session.id });
    });
  }

  /** Whose account it is, as it is known, or else by its e-mail address, with why it is to be linked then. */
  async #userOf(signIn: UpstreamSignIn): Promise<{ userId: string; reason?: string } | undefined> {
    const known = await this.accounts.userOf(identityOf(signIn));
    if (known !== undefined) return { userId: known };
    const adopting = await this.#userOfTrustedEmail(signIn);
    return adopting === undefined ? undefined : { userId: adopting, reason: 'trusted-verified-email' };
  }

  /**
   * The one user who has the address that the provider vouches for, where the operator believes it. Whoever can get an
   * address verified there signs in as that user: so it is off unless the operator says so, for the provider at which our
   * user got it verified, too; two users with the address are not guessed between; and what the user unlinked stays so.
   */
  async #userOfTrustedEmail(signIn: UpstreamSignIn): Promise<string | undefined> {
    const { provider, identity } = signIn;
    const { claims } = identity;
    if (!provider.trustVerifiedEmail || claims.email_verified !== true || claims.email === undefined) return undefined;
    const declared = this.configuration.declared.users.map(({ username, email }) => ({ username, email }));
    const providers = (await this.providers.list()).filter(({ trustVerifiedEmail }) => trustVerifiedEmail);
    const trusted: Verifier[] = ['admin', ...providers.map(asVerifier)];
    const user = await this.users.findByVerifiedEmail(claims.email, { trusted, declared });
    if (!user || (await this.accounts.wasUnlinked(user.id, identityOf(signIn)))) return undefined;
    return user.id;
  }

  #link(
    userId: string,
    signIn: UpstreamSignIn,
    how: { connectedInSession?: string; reason?: string | undefined },
  ): Promise<string> {
    const { provider, identity, tokens, attempt } = signIn;
    return this.accounts.link({
      userId,
      ...identityOf(signIn),
      upstreamClientId: provider.clientId,
      claims: profileClaims(identity.claims),
      tokens,
      requestedScope: attempt.scope,
      ...how,
    });
  }

  async #signUp({ provider, identity: { claims }, attempt }: UpstreamSignIn): Promise<string> {
    // Who follows a connect link signs in as the user it names; it never makes a new one.
    if (attempt.returnTo.startsWith('/connect/') || !admits(provider, claims)) {
      throw new DomainError('access.forbidden', {
        publicDetail: `Your account at ${provider.displayName} is not known here, and new users are not admitted.`,
      });
    }
    const { id: userId } = await this.users.create({
      fullName: claims.name,
      email: claims.email,
      emailVerified: claims.email_verified === true,
      emailVerifiedBy: claims.email_verified === true ? asVerifier(provider) : undefined,
    });
    await this.audit.record({ event: 'user.created', outcome: 'success', userId, identityProvider: provider.id });
    return userId;
  }
}

function identityOf({ provider, identity: { issuer, subject } }: UpstreamSignIn): UpstreamIdentity {
  return { identityProvider: provider.id, issuer, subject };
}

function refuseBlocked(user: User | undefined): void {
  if (!user || user.blocked) throw new DomainError('user.blocked');
}

/** With its issuer: another provider under the same id vouches for nothing that the old one said. */
const asVerifier = ({ id, issuer }: IdentityProvider): Verifier => `provider:${id} ${issuer}`;

/** Whether a provider admits an unknown user. An e-mail domain counts only when the provider verified the address. */
function admits({ signUp }: IdentityProvider, { email, email_verified: verified }: UserinfoClaims): boolean {
  if (typeof signUp === 'boolean') return signUp;
  const domain = email?.split('@').at(-1)?.toLowerCase();
  return verified === true && domain !== undefined && signUp.some((admitted) => admitted.toLowerCase() === domain);
}

function profileClaims(claims: UserinfoClaims): Record<string, unknown> {
  return Object.fromEntries(
    PROFILE_CLAIMS.flatMap((name) => (claims[name] === undefined ? [] : [[name, claims[name]]])),
  );
}
