import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Patch, Post, Res, UseGuards } from '@nestjs/common';
import type { Response } from 'express';
import { JsonBody, OptionalJsonBody, QueryOf } from '../common/http/checked-request.js';
import { Configuration } from '../config/index.js';
import { AdministratorGuard } from '../tokens/index.js';
import { Webhooks } from '../webhooks/index.js';
import { PageQuery, toList, toSecret } from './admin.dto.js';
import { AdminOperation } from './admin.openapi.js';
import {
  DeliveryAnswer,
  DeliveryList,
  DeliveryQuery,
  NewWebhook,
  SecretRotation,
  toDeliveryAnswer,
  toRotation,
  toWebhookAnswer,
  toWebhookChanges,
  toWebhookSecretAnswer,
  WebhookAnswer,
  WebhookList,
  WebhookPatch,
  WebhookSecretAnswer,
} from './webhooks.dto.js';

const ID = { id: 'The webhook' };
const NO_STORE = ['Cache-Control', 'no-store'] as const;

@Controller('admin/webhooks')
@UseGuards(AdministratorGuard)
export class WebhooksController {
  constructor(
    @Inject(Webhooks) private readonly webhooks: Webhooks,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  @Get()
  @Header(...NO_STORE)
  @AdminOperation({ summary: 'List webhooks', operationId: 'listWebhooks', list: true, answer: WebhookList })
  async list(@QueryOf(PageQuery) page: PageQuery): Promise<WebhookList> {
    return toList(await this.webhooks.list(page), page, toWebhookAnswer);
  }

  @Post()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Create a webhook',
    operationId: 'createWebhook',
    description:
      'It is told of what happens from now on, by messages as Standard Webhooks prescribes. The secret that they are signed with is shown in this answer only.',
    body: NewWebhook,
    status: 201,
    location: true,
    answer: WebhookSecretAnswer,
    problems: [409],
  })
  async create(
    @JsonBody(NewWebhook) body: NewWebhook,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebhookSecretAnswer> {
    const created = await this.webhooks.create(body.url, toWebhookChanges(body), toSecret(body.secret));
    response.setHeader('Location', this.configuration.url(`/admin/webhooks/${created.webhook.id}`));
    return toWebhookSecretAnswer(created);
  }

  @Get(':id')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Read a webhook',
    operationId: 'getWebhook',
    path: ID,
    answer: WebhookAnswer,
    problems: [404],
  })
  async read(@Param('id') id: string): Promise<WebhookAnswer> {
    return toWebhookAnswer(await this.webhooks.get(id));
  }

  @Patch(':id')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Change a webhook',
    operationId: 'updateWebhook',
    description: 'What is left out stays as it is. What waits already is sent to the new address, too.',
    path: ID,
    body: WebhookPatch,
    answer: WebhookAnswer,
    problems: [404],
  })
  async change(@Param('id') id: string, @JsonBody(WebhookPatch) body: WebhookPatch): Promise<WebhookAnswer> {
    return toWebhookAnswer(await this.webhooks.change(id, toWebhookChanges(body)));
  }

  @Delete(':id')
  @HttpCode(204)
  @AdminOperation({
    summary: 'Delete a webhook',
    operationId: 'deleteWebhook',
    description: 'What waits for it is not sent.',
    path: ID,
    status: 204,
    problems: [404],
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.webhooks.delete(id);
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Replace the secret of a webhook',
    operationId: 'rotateWebhookSecret',
    description: 'For a while messages carry a signature for each of the two secrets. Shown in this answer only.',
    path: ID,
    body: SecretRotation,
    bodyOptional: true,
    answer: WebhookSecretAnswer,
    problems: [404],
  })
  async rotateSecret(
    @Param('id') id: string,
    @OptionalJsonBody(SecretRotation) body: SecretRotation,
  ): Promise<WebhookSecretAnswer> {
    return toWebhookSecretAnswer(await this.webhooks.rotateSecret(id, toRotation(body)));
  }

  @Post(':id/test')
  @HttpCode(202)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Send a test event to a webhook',
    operationId: 'testWebhook',
    description:
      'An event `webhook.test`, whatever the webhook wants to be told of. See its delivery for what became of it.',
    path: ID,
    status: 202,
    answer: DeliveryAnswer,
    problems: [404, 409],
  })
  async test(@Param('id') id: string): Promise<DeliveryAnswer> {
    return toDeliveryAnswer(await this.webhooks.test(id));
  }

  @Get(':id/deliveries')
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'List the deliveries to a webhook',
    operationId: 'listWebhookDeliveries',
    description: 'The latest first; those that have ended, for a day.',
    path: ID,
    query: { state: '`pending`, `delivered`, `failed` or `disabled`' },
    list: true,
    answer: DeliveryList,
    problems: [404],
  })
  async deliveries(
    @Param('id') id: string,
    @QueryOf(DeliveryQuery) { state, ...page }: DeliveryQuery,
  ): Promise<DeliveryList> {
    return toList(await this.webhooks.deliveries(id, state, page), page, toDeliveryAnswer);
  }

  @Post(':id/deliveries/:delivery/redeliver')
  @HttpCode(202)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Send an event again',
    operationId: 'redeliverWebhookEvent',
    description: 'One that was given up, or met a webhook that was disabled, a day ago at most; under the same id.',
    path: { ...ID, delivery: 'The delivery' },
    status: 202,
    answer: DeliveryAnswer,
    problems: [404, 409],
  })
  async redeliver(@Param('id') id: string, @Param('delivery') delivery: string): Promise<DeliveryAnswer> {
    return toDeliveryAnswer(await this.webhooks.redeliver(id, delivery));
  }
}
