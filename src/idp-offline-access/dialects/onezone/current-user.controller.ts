import { Controller, Get, Header, Inject, UseGuards } from '@nestjs/common';
import { epochSeconds } from '../../../common/clock.js';
import { DomainError } from '../../../common/domain-error.js';
import { UPSTREAM_TOKEN_SCOPE } from '../../../config/index.js';
import { CurrentCaller, type Caller } from '../../../tokens/index.js';
import type { LinkedAccount } from '../../linked-account.js';
import { LinkedAccounts } from '../../linked-accounts.js';
import type { CurrentUser, OnezoneLinkedAccount } from './current-user.dto.js';
import { CurrentUserDocumentation } from './onezone.openapi.js';
import { ONEZONE_PREFIX } from './onezone.face.js';
import { OnezoneGuard } from './onezone.guard.js';

/** What the vendor calls a user without a name. */
const UNNAMED = 'Unnamed User';

@Controller(`${ONEZONE_PREFIX}/user`)
export class CurrentUserController {
  constructor(@Inject(LinkedAccounts) private readonly accounts: LinkedAccounts) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @UseGuards(OnezoneGuard)
  @CurrentUserDocumentation()
  async get(@CurrentCaller() caller: Caller): Promise<CurrentUser> {
    const { user } = caller;
    if (user.blocked) throw new DomainError('user.blocked');
    const accounts = (await this.accounts.ofUser(user.id)).filter((account) => isShown(account, caller));
    const named = sees(caller, 'profile');
    return {
      userId: user.id,
      // The vendor's client takes no null.
      fullName: (named && user.fullName) || UNNAMED,
      username: (named && user.username) || user.id,
      emails: sees(caller, 'email') && user.email !== undefined ? [user.email] : [],
      linkedAccounts: accounts.map((account) => toAccount(account, caller)),
      basicAuthEnabled: user.basicAuthEnabled,
      blocked: user.blocked,
      creationTime: epochSeconds(user.createdAt),
    };
  }
}

/** The user's own credentials show everything, a client sees what it was granted. */
function sees({ client, scope }: Caller, wanted: string): boolean {
  return !client || scope.has(wanted);
}

function isShown({ status, identityProvider }: LinkedAccount, caller: Caller): boolean {
  const permitted = !caller.client || caller.client.upstreamProviders.includes(identityProvider);
  return status !== 'sign-in-only' && permitted && sees(caller, UPSTREAM_TOKEN_SCOPE);
}

function toAccount({ identityProvider, subject, claims }: LinkedAccount, caller: Caller): OnezoneLinkedAccount {
  const named = sees(caller, 'profile');
  const { name, preferred_username: username, email, entitlements } = claims;
  return {
    idp: identityProvider,
    subjectId: subject,
    fullName: named && typeof name === 'string' ? name : null,
    username: named && typeof username === 'string' ? username : null,
    emails: sees(caller, 'email') && typeof email === 'string' ? [email] : [],
    entitlements: named && Array.isArray(entitlements) ? entitlements.filter((each) => typeof each === 'string') : [],
    custom: {},
  };
}
