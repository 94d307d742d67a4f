import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Patch, Post, Res, UseGuards } from '@nestjs/common';
import type { Response } from 'express';
import { DomainError } from '../common/domain-error.js';
import { JsonBody, QueryOf } from '../common/http/checked-request.js';
import { Configuration } from '../config/index.js';
import { LinkedAccounts } from '../idp-offline-access/index.js';
import { AdministratorGuard } from '../tokens/index.js';
import { UserAccounts, UserDeletion, UsersRepository } from '../users/index.js';
import { PageQuery, pageOf, toList } from './admin.dto.js';
import { AdminOperation } from './admin.openapi.js';
import {
  IdentityList,
  NewUser,
  toAccountChanges,
  toIdentityAnswers,
  toRevocationAnswer,
  toUserAnswer,
  UserAnswer,
  UserList,
  UserPatch,
  UserQuery,
} from './users.dto.js';

const ID = { id: 'The user' };
const NO_STORE = ['Cache-Control', 'no-store'] as const;

@Controller('admin/users')
@UseGuards(AdministratorGuard)
export class UsersController {
  constructor(
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(UserAccounts) private readonly accounts: UserAccounts,
    @Inject(UserDeletion) private readonly deletion: UserDeletion,
    @Inject(LinkedAccounts) private readonly linkedAccounts: LinkedAccounts,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  @Get()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'List users',
    operationId: 'listUsers',
    query: { username: 'The user name', email: 'The e-mail address, without regard to case' },
    list: true,
    answer: UserList,
  })
  async list(@QueryOf(UserQuery) { limit, offset, ...filter }: UserQuery): Promise<UserList> {
    const page = { limit, offset };
    return toList(await this.users.list(filter, page), page, toUserAnswer);
  }

  @Post()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Create a user',
    operationId: 'createUser',
    body: NewUser,
    status: 201,
    location: true,
    answer: UserAnswer,
    problems: [409],
  })
  async create(@JsonBody(NewUser) body: NewUser, @Res({ passthrough: true }) response: Response): Promise<UserAnswer> {
    const user = await this.accounts.create(toAccountChanges(body));
    response.setHeader('Location', this.configuration.url(`/admin/users/${user.id}`));
    return toUserAnswer(user);
  }

  @Get(':id')
  @Header(...NO_STORE)
  @AdminOperation({ summary: 'Read a user', operationId: 'getUser', path: ID, answer: UserAnswer, problems: [404] })
  async read(@Param('id') id: string): Promise<UserAnswer> {
    const user = await this.users.find(id);
    if (!user) throw new DomainError('resource.not-found');
    return toUserAnswer(user);
  }

  @Patch(':id')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Change a user',
    operationId: 'updateUser',
    description:
      'What is left out stays as it is. A new password ends the sessions of the user, and the tokens that were made by password.',
    path: ID,
    body: UserPatch,
    answer: UserAnswer,
    problems: [404, 409],
  })
  async change(@Param('id') id: string, @JsonBody(UserPatch) body: UserPatch): Promise<UserAnswer> {
    return toUserAnswer(await this.accounts.change(id, toAccountChanges(body)));
  }

  @Delete(':id')
  @HttpCode(204)
  @AdminOperation({
    summary: 'Delete a user',
    operationId: 'deleteUser',
    description: 'Ends everything that was given to the user; upstream tokens are revoked at their providers.',
    path: ID,
    status: 204,
    problems: [404],
  })
  async delete(@Param('id') id: string): Promise<void> {
    if (!(await this.deletion.delete(id))) throw new DomainError('resource.not-found');
  }

  @Get(':id/identities')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'List the linked accounts of a user',
    operationId: 'listIdentities',
    description: 'The default of each provider before the others there; never a token.',
    path: ID,
    list: true,
    answer: IdentityList,
    problems: [404],
  })
  async identities(@Param('id') id: string, @QueryOf(PageQuery) page: PageQuery): Promise<IdentityList> {
    await this.read(id);
    const identities = toIdentityAnswers(await this.linkedAccounts.ofUser(id));
    const { data, meta } = toList(pageOf(identities, page), page, (identity) => identity);
    const revocations = await this.linkedAccounts.revocationsOf(id);
    return { data, revocations: revocations.map(toRevocationAnswer), meta };
  }

  @Delete(':id/identities/:idp')
  @HttpCode(204)
  @AdminOperation({
    summary: 'Unlink the accounts of a user at a provider',
    operationId: 'deleteIdentity',
    description:
      'Their tokens are erased, and revoked at the provider. The last account that the user can sign in with stays known, without tokens.',
    path: { ...ID, idp: 'The identity provider' },
    status: 204,
    problems: [404],
  })
  async unlink(@Param('id') id: string, @Param('idp') identityProvider: string): Promise<void> {
    if ((await this.linkedAccounts.unlink(id, identityProvider)) === 0) throw new DomainError('resource.not-found');
  }
}
