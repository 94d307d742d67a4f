import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Patch, Post, Put, UseGuards } from '@nestjs/common';
import { ClientRegistry, type ClientWithSecret } from '../../../clients/index.js';
import { TolerantJsonBody, TolerantQueryOf } from '../../../common/http/checked-request.js';
import { Configuration } from '../../../config/index.js';
import { AdministratorGuard } from '../../administrators/administrator.guard.js';
import {
  inOwnNames,
  NewOAuthClient,
  OAuthClientList,
  OAuthClientPatch,
  OAuthClientQuery,
  OAuthClientResult,
  OAuthClientSecretResult,
  OAuthClientWithSecretResult,
  toClientEntry,
  toOAuthClient,
} from './clients.dto.js';
import { ClientOperation } from './clients.openapi.js';

const NO_STORE = ['Cache-Control', 'no-store'] as const;

@Controller('oauth2/clients')
@UseGuards(AdministratorGuard)
export class OAuthClientsController {
  constructor(
    @Inject(ClientRegistry) private readonly clients: ClientRegistry,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  @Post()
  @Header(...NO_STORE)
  @ClientOperation({
    summary: 'Create an OAuth 2 client',
    operationId: 'createOAuthClient',
    description: 'The secret of a client that can keep one is shown in this answer only.',
    body: NewOAuthClient,
    status: 201,
    answer: OAuthClientWithSecretResult,
  })
  async create(@TolerantJsonBody(NewOAuthClient) body: NewOAuthClient): Promise<OAuthClientWithSecretResult> {
    return this.#answer(await inOwnWords(this.clients.create(toClientEntry(body))));
  }

  @Get()
  @Header(...NO_STORE)
  @ClientOperation({
    summary: 'List the OAuth 2 clients',
    operationId: 'listOAuthClients',
    list: true,
    answer: OAuthClientList,
  })
  async list(@TolerantQueryOf(OAuthClientQuery) { limit, offset }: OAuthClientQuery): Promise<OAuthClientList> {
    const { items, total } = await this.clients.page({ limit, offset });
    return {
      meta: { pagination: { limit, offset, total_count: total } },
      result: items.map((client) => toOAuthClient(client, this.configuration)),
    };
  }

  @Get(':id')
  @Header(...NO_STORE)
  @ClientOperation({
    summary: 'Read an OAuth 2 client',
    operationId: 'getOAuthClient',
    one: true,
    answer: OAuthClientResult,
  })
  async read(@Param('id') id: string): Promise<OAuthClientResult> {
    return { result: toOAuthClient(await this.clients.get(id), this.configuration) };
  }

  @Patch(':id')
  @Header(...NO_STORE)
  @ClientOperation({
    summary: 'Change an OAuth 2 client',
    operationId: 'updateOAuthClient',
    description:
      'What is left out stays as it is. A public client that becomes a confidential one is given a secret, shown in this answer only.',
    one: true,
    body: OAuthClientPatch,
    answer: OAuthClientWithSecretResult,
  })
  async change(
    @Param('id') id: string,
    @TolerantJsonBody(OAuthClientPatch) body: OAuthClientPatch,
  ): Promise<OAuthClientWithSecretResult> {
    const changed = this.clients.change(id, (former) => ({ ...former, ...toClientEntry(body, former) }));
    return this.#answer(await inOwnWords(changed));
  }

  @Delete(':id')
  @HttpCode(204)
  @ClientOperation({
    summary: 'Delete an OAuth 2 client',
    operationId: 'deleteOAuthClient',
    description: 'Ends everything that was given to it.',
    one: true,
    status: 204,
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.clients.delete(id);
  }

  @Put(':id/secret')
  @Header(...NO_STORE)
  @ClientOperation({
    summary: 'Give an OAuth 2 client a new secret',
    operationId: 'replaceOAuthClientSecret',
    description: 'The former one stops working at once.',
    one: true,
    answer: OAuthClientSecretResult,
  })
  async replaceSecret(@Param('id') id: string): Promise<OAuthClientSecretResult> {
    const { secret } = await this.clients.rotateSecret(id, { previousValidForMs: 0 });
    return { result: { client_secret: secret.reveal() } };
  }

  #answer({ client, secret }: ClientWithSecret): OAuthClientWithSecretResult {
    const shown = toOAuthClient(client, this.configuration);
    return { result: Object.assign(shown, secret && { client_secret: secret.reveal() }) };
  }
}

async function inOwnWords<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw inOwnNames(error);
  }
}
