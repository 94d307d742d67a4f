import {
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { Audit, type AuditRecord } from '../audit/index.js';
import { DomainError, invalidParameter } from '../common/domain-error.js';
import { jsonObject, QueryOf } from '../common/http/checked-request.js';
import { Configuration, identityProviderJsonSchema } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import {
  IdentityProvidersRepository,
  ProviderCheck,
  readProvider,
  type IdentityProvider,
} from '../identity-providers/index.js';
import { AdministratorGuard } from '../tokens/index.js';
import { PageQuery, toList } from './admin.dto.js';
import { AdminOperation } from './admin.openapi.js';
import {
  IdentityProviderAnswer,
  IdentityProviderList,
  ProviderReportAnswer,
  READ_ONLY_MEMBERS,
  toIdentityProviderAnswer,
  toReportAnswer,
} from './identity-providers.dto.js';

const ID = { id: 'The identity provider' };
const NO_STORE = ['Cache-Control', 'no-store'] as const;
const ENTRY = { schema: identityProviderJsonSchema() };

@Controller('admin/identity-providers')
@UseGuards(AdministratorGuard)
export class IdentityProvidersController {
  constructor(
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(ProviderCheck) private readonly providerCheck: ProviderCheck,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  @Get()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'List identity providers',
    operationId: 'listIdentityProviders',
    list: true,
    answer: IdentityProviderList,
  })
  async list(@QueryOf(PageQuery) page: PageQuery): Promise<IdentityProviderList> {
    const { providers, total } = await this.providers.page(page);
    return toList({ items: providers, total }, page, toIdentityProviderAnswer);
  }

  @Post()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Create an identity provider',
    operationId: 'createIdentityProvider',
    description: 'The body is an entry of CONFIG_FILE. It is used at once, everywhere, and outlives a restart.',
    body: ENTRY,
    status: 201,
    location: true,
    answer: IdentityProviderAnswer,
    problems: [409],
  })
  async create(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<IdentityProviderAnswer> {
    const provider = readProvider(entryOf(request));
    await this.unitOfWork.run(async () => {
      if (!(await this.providers.add(provider))) {
        throw new DomainError('resource.conflict', { publicDetail: 'id is taken', meta: { parameter: 'id' } });
      }
      await this.#record('identity-provider.created', provider.id);
    });
    response.setHeader('Location', this.configuration.url(`/admin/identity-providers/${provider.id}`));
    return toIdentityProviderAnswer(await this.#get(provider.id));
  }

  @Get(':id')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Read an identity provider',
    operationId: 'getIdentityProvider',
    path: ID,
    answer: IdentityProviderAnswer,
    problems: [404],
  })
  async read(@Param('id') id: string): Promise<IdentityProviderAnswer> {
    return toIdentityProviderAnswer(await this.#get(id));
  }

  @Put(':id')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Replace an identity provider',
    operationId: 'replaceIdentityProvider',
    description: 'Secrets that are left out stay as they are, as long as they are shown to the same provider.',
    path: ID,
    body: ENTRY,
    answer: IdentityProviderAnswer,
    problems: [404, 409],
  })
  async replace(@Param('id') id: string, @Req() request: Request): Promise<IdentityProviderAnswer> {
    const entry = { id, ...entryOf(request) };
    if (entry.id !== id) throw invalidParameter('id', 'must be the one of the path');
    return this.unitOfWork.run(async () => {
      const stored = await this.#get(id);
      const replaced = await this.providers.replace(stored.version, readProvider(entry, stored));
      // Gone, where it was deleted meanwhile.
      const now = await this.#get(id);
      if (!replaced) throw new DomainError('resource.conflict', { publicDetail: 'It has been changed meanwhile.' });
      await this.#record('identity-provider.updated', id);
      return toIdentityProviderAnswer(now);
    });
  }

  @Delete(':id')
  @HttpCode(204)
  @AdminOperation({
    summary: 'Delete an identity provider',
    operationId: 'deleteIdentityProvider',
    description: 'Nobody signs in there any more, and its tokens are neither served nor refreshed.',
    path: ID,
    status: 204,
    problems: [404],
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      if (!(await this.providers.disable(id))) throw new DomainError('resource.not-found');
      await this.#record('identity-provider.deleted', id);
    });
  }

  @Post(':id/test')
  @HttpCode(200)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Test an identity provider',
    operationId: 'testIdentityProvider',
    description: 'Says what works, what has to be registered there and what is missing. Nobody is signed in.',
    path: ID,
    answer: ProviderReportAnswer,
    problems: [404],
  })
  async test(@Param('id') id: string): Promise<ProviderReportAnswer> {
    const report = await this.providerCheck.check(await this.#get(id));
    const outcome = report.status === 'failed' ? 'failure' : 'success';
    await this.audit.record({ event: 'identity-provider.tested', outcome, identityProvider: id });
    return toReportAnswer(report);
  }

  async #get(id: string): Promise<IdentityProvider> {
    const provider = await this.providers.find(id);
    if (!provider) throw new DomainError('resource.not-found');
    return provider;
  }

  #record(event: AuditRecord['event'], identityProvider: string): Promise<void> {
    return this.audit.record({ event, outcome: 'success', identityProvider });
  }
}

function entryOf(request: Request): { id?: unknown } {
  return Object.fromEntries(
    Object.entries(jsonObject(request)).filter(([name]) => !(READ_ONLY_MEMBERS as readonly string[]).includes(name)),
  );
}
