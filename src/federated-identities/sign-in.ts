import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Audit } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import { DomainError } from '../common/domain-error.js';
import { Configuration } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import type { IdentityProvider, UserinfoClaims } from '../identity-providers/index.js';
import { LinkedAccounts } from '../idp-offline-access/index.js';
import { Sessions } from '../sessions/index.js';
import { UsersRepository, type User } from '../users/index.js';
import type { UpstreamSignIn } from './strategies/code-flow.strategy.js';

const CLOCK_TOLERANCE_MS = 10_000;

/** Turns a proven upstream identity into a signed-in user, or into a further account of one. */
@Injectable()
export class SignIn {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(LinkedAccounts) private readonly accounts: LinkedAccounts,
    @Inject(UsersRepository) private readonly users: UsersRepository,
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
      if (error instanceof DomainError) await this.#recordRefusal(signIn, error);
      throw error;
    }
  }

  /** Signs in a user whose password was right. */
  async completeWithPassword(request: Request, response: Response, { id: userId }: User): Promise<void> {
    const started = await this.unitOfWork.run(async () => {
      await this.audit.record({ event: 'user.signed-in', outcome: 'success', userId, reason: 'password' });
      return this.sessions.start(request, { userId, authTime: this.clock.now(), authTimeProven: true });
    });
    this.sessions.hand(started, response);
  }

  /** Whose password it was to be is not recorded: people type passwords into the field above. */
  recordPasswordRefusal({ code }: DomainError): Promise<void> {
    return this.audit.record({ event: 'user.signed-in', outcome: 'failure', reason: code });
  }

  async #signInOnceKnown(request: Request, response: Response, signIn: UpstreamSignIn): Promise<void> {
    try {
      await this.#signIn(request, response, signIn);
    } catch (error) {
      // Somebody signed in with the same new account at the same moment; now it is known.
      if (!(error instanceof DomainError) || error.code !== 'identity.held-by-another-user') throw error;
      await this.#signIn(request, response, signIn);
    }
  }

  #recordRefusal({ provider, attempt }: UpstreamSignIn, { code }: DomainError): Promise<void> {
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
      const known = await this.accounts.userOf({ identityProvider: provider.id, ...identity });
      const adopted = known === undefined ? await this.#userOfTrustedEmail(signIn) : undefined;
      const userId = known ?? adopted ?? (await this.#signUp(signIn));
      await this.#refuseBlocked(userId);
      const linkedAccountId = await this.#link(
        userId,
        signIn,
        adopted === undefined ? {} : { reason: 'trusted-verified-email' },
      );
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
    const session = await this.sessions.current(request);
    if (session?.userId !== userId) {
      throw new DomainError('access.forbidden', {
        publicDetail: 'You are no longer signed in as the user whose account was to be connected.',
      });
    }
    await this.#refuseBlocked(userId);
    await this.#link(userId, signIn, { connectedInSession: session.id });
  }

  async #refuseBlocked(userId: string): Promise<void> {
    const user = await this.users.find(userId);
    if (!user || user.blocked) throw new DomainError('user.blocked');
  }

  /**
   * The one user who has the address that the provider vouches for, where the operator believes it. Whoever can get an
   * address verified there signs in as that user: so it is off unless the operator says so, and two users with the
   * address are not guessed between.
   */
  async #userOfTrustedEmail({ provider, identity: { claims } }: UpstreamSignIn): Promise<string | undefined> {
    if (!provider.trustVerifiedEmail || claims.email_verified !== true || claims.email === undefined) return undefined;
    const declared = this.configuration.declared.users.map(({ username, email }) => ({ username, email }));
    return (await this.users.findByVerifiedEmail(claims.email, declared))?.id;
  }

  #link(
    userId: string,
    { provider, identity, tokens, attempt }: UpstreamSignIn,
    how: { connectedInSession?: string; reason?: string } = {},
  ): Promise<string> {
    return this.accounts.link({
      userId,
      identityProvider: provider.id,
      subject: identity.subject,
      issuer: identity.issuer,
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
    });
    await this.audit.record({ event: 'user.created', outcome: 'success', userId, identityProvider: provider.id });
    return userId;
  }
}

/** Whether a provider admits an unknown user. An e-mail domain counts only when the provider verified the address. */
function admits({ signUp }: IdentityProvider, { email, email_verified: verified }: UserinfoClaims): boolean {
  if (typeof signUp === 'boolean') return signUp;
  const domain = email?.split('@').at(-1)?.toLowerCase();
  return verified === true && domain !== undefined && signUp.some((admitted) => admitted.toLowerCase() === domain);
}

/** What is kept of an id_token: who the user is there, not how the token was made. */
function profileClaims(claims: UserinfoClaims): Record<string, unknown> {
  const kept = ['sub', 'name', 'preferred_username', 'email', 'email_verified', 'picture', 'groups', 'entitlements'];
  return Object.fromEntries(kept.flatMap((name) => (claims[name] === undefined ? [] : [[name, claims[name]]])));
}
