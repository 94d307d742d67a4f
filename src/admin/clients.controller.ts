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
import { ClientRegistry } from '../clients/index.js';
import { jsonObject, OptionalJsonBody, QueryOf } from '../common/http/checked-request.js';
import { clientJsonSchema, Configuration } from '../config/index.js';
import { AdministratorGuard } from '../tokens/index.js';
import { PageQuery, toList } from './admin.dto.js';
import { AdminOperation } from './admin.openapi.js';
import {
  ClientAnswer,
  ClientList,
  ClientSecretAnswer,
  ClientSecretRotation,
  READ_ONLY_CLIENT_MEMBERS,
  toClientAnswer,
  toClientSecretAnswer,
  toClientSecretRotation,
} from './clients.dto.js';

const ID = { id: 'The client' };
const NO_STORE = ['Cache-Control', 'no-store'] as const;
/** An id is made where there is none, or is the one of the path. */
const ENTRY = { schema: { ...clientJsonSchema(), required: [] } };

@Controller('admin/clients')
@UseGuards(AdministratorGuard)
export class ClientsController {
  constructor(
    @Inject(ClientRegistry) private readonly clients: ClientRegistry,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  @Get()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'List clients',
    operationId: 'listClients',
    description: 'The oldest first; those of CONFIG_FILE, too.',
    list: true,
    answer: ClientList,
  })
  async list(@QueryOf(PageQuery) page: PageQuery): Promise<ClientList> {
    return toList(await this.clients.page(page), page, toClientAnswer);
  }

  @Post()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Create a client',
    operationId: 'createClient',
    description:
      'The body is an entry of CONFIG_FILE. A `client_id` and a `client_secret` that are left out are made; the secret is shown in this answer only. The scope `admin` is given by CONFIG_FILE alone.',
    body: ENTRY,
    status: 201,
    location: true,
    answer: ClientSecretAnswer,
    problems: [409],
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ClientSecretAnswer> {
    const created = await this.clients.create(entryOf(request));
    const path = `/admin/clients/${encodeURIComponent(created.client.clientId)}`;
    response.setHeader('Location', this.configuration.url(path));
    return toClientSecretAnswer(created);
  }

  @Get(':id')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Read a client',
    operationId: 'getClient',
    path: ID,
    answer: ClientAnswer,
    problems: [404],
  })
  async read(@Param('id') id: string): Promise<ClientAnswer> {
    return toClientAnswer(await this.clients.get(id));
  }

  @Put(':id')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Replace a client',
    operationId: 'replaceClient',
    description:
      'Secrets that are left out stay as they are. Where the new method needs one that there is not, it is made and shown in this answer only.',
    path: ID,
    body: ENTRY,
    answer: ClientSecretAnswer,
    problems: [404],
  })
  async replace(@Param('id') id: string, @Req() request: Request): Promise<ClientSecretAnswer> {
    const entry = entryOf(request);
    return toClientSecretAnswer(await this.clients.change(id, () => entry));
  }

  @Delete(':id')
  @HttpCode(204)
  @AdminOperation({
    summary: 'Delete a client',
    operationId: 'deleteClient',
    description: 'Ends everything that was given to it.',
    path: ID,
    status: 204,
    problems: [404],
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.clients.delete(id);
  }

  @Post(':id/enable')
  @HttpCode(200)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Enable a client',
    operationId: 'enableClient',
    description: 'What it was given before counts again, as far as it has not expired.',
    path: ID,
    answer: ClientAnswer,
    problems: [404],
  })
  async enable(@Param('id') id: string): Promise<ClientAnswer> {
    return toClientAnswer(await this.clients.enable(id));
  }

  @Post(':id/disable')
  @HttpCode(200)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Disable a client',
    operationId: 'disableClient',
    description: 'From the next request on, everywhere: it is not authenticated, and none of its tokens counts.',
    path: ID,
    answer: ClientAnswer,
    problems: [404],
  })
  async disable(@Param('id') id: string): Promise<ClientAnswer> {
    return toClientAnswer(await this.clients.disable(id));
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Give a client a new secret',
    operationId: 'rotateClientSecret',
    description: 'For a while the one before is valid, too; never more than two are. Shown in this answer only.',
    path: ID,
    body: ClientSecretRotation,
    bodyOptional: true,
    answer: ClientSecretAnswer,
    problems: [404],
  })
  async rotateSecret(
    @Param('id') id: string,
    @OptionalJsonBody(ClientSecretRotation) body: ClientSecretRotation,
  ): Promise<ClientSecretAnswer> {
    return toClientSecretAnswer(await this.clients.rotateSecret(id, toClientSecretRotation(body)));
  }
}

function entryOf(request: Request): object {
  return Object.fromEntries(
    Object.entries(jsonObject(request)).filter(([name]) => !READ_ONLY_CLIENT_MEMBERS.includes(name)),
  );
}
