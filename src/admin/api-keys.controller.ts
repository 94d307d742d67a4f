import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { JsonBody, QueryOf } from '../common/http/checked-request.js';
import { AdministratorGuard, ApiKeys } from '../tokens/index.js';
import { PageQuery, toList } from './admin.dto.js';
import { AdminOperation } from './admin.openapi.js';
import {
  ApiKeyList,
  ApiKeySecretAnswer,
  NewApiKeyBody,
  toApiKeyAnswer,
  toApiKeySecretAnswer,
  toNewApiKey,
} from './api-keys.dto.js';

const NO_STORE = ['Cache-Control', 'no-store'] as const;

@Controller('admin/api-keys')
@UseGuards(AdministratorGuard)
export class ApiKeysController {
  constructor(@Inject(ApiKeys) private readonly apiKeys: ApiKeys) {}

  @Get()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'List the further keys to the admin API',
    operationId: 'listApiKeys',
    description: 'The oldest first; never a key itself.',
    list: true,
    answer: ApiKeyList,
  })
  async list(@QueryOf(PageQuery) page: PageQuery): Promise<ApiKeyList> {
    return toList(await this.apiKeys.list(page), page, toApiKeyAnswer);
  }

  @Post()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Make a further key to the admin API',
    operationId: 'createApiKey',
    description: 'The key is shown in this answer only.',
    body: NewApiKeyBody,
    status: 201,
    answer: ApiKeySecretAnswer,
    problems: [409],
  })
  async create(@JsonBody(NewApiKeyBody) body: NewApiKeyBody): Promise<ApiKeySecretAnswer> {
    return toApiKeySecretAnswer(await this.apiKeys.create(toNewApiKey(body)));
  }

  @Delete(':id')
  @HttpCode(204)
  @AdminOperation({
    summary: 'Delete a key to the admin API',
    operationId: 'deleteApiKey',
    description: 'It opens nothing from the next request on, everywhere.',
    path: { id: 'The key' },
    status: 204,
    problems: [404],
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.apiKeys.delete(id);
  }
}
