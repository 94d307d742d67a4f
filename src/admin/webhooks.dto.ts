import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import {
  WEBHOOK_EVENTS,
  type Webhook,
  type WebhookChanges,
  type WebhookDelivery,
  type WebhookDeliveryState,
  type WebhookEvent,
  type WebhookWithSecret,
} from '../webhooks/index.js';
import { isoTime, ListMeta, PageQuery, toSecret } from './admin.dto.js';
import { MayBeLeftOut } from './users.dto.js';

const DAY_SECONDS = 86_400;
const STATES: readonly WebhookDeliveryState[] = ['pending', 'delivered', 'failed', 'disabled'];

const CanBeSecret = () => Length(1, 128);

class WebhookBody {
  /** For people. */
  @IsOptional()
  @Matches(/^[^\p{Cc}]{1,200}$/u, { message: '$property must have 1 to 200 characters without control characters' })
  @ApiPropertyOptional({ type: String, nullable: true, example: 'The billing service' })
  description?: string | null;

  /** What it is told of; everything where this is left out, or null. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(WEBHOOK_EVENTS.length)
  @ArrayUnique()
  @IsIn(WEBHOOK_EVENTS, { each: true, message: `$property must hold nothing but ${WEBHOOK_EVENTS.join(', ')}` })
  @ApiPropertyOptional({ enum: WEBHOOK_EVENTS, isArray: true, nullable: true })
  events?: WebhookEvent[] | null;

  /** Whether it is told anything. Nobody keeps for it what happens while it is not. */
  @MayBeLeftOut()
  @IsBoolean()
  @ApiPropertyOptional()
  enabled?: boolean;
}

/** A webhook that is to be made. */
export class NewWebhook extends WebhookBody {
  /** https, unless OUTBOUND_ALLOW lists it; without credentials and fragment. */
  @IsString()
  @ApiProperty({ example: 'https://billing.example/webhooks/symbolon' })
  url!: string;

  /** One of your own: `whsec_` and the base64 of 24 to 64 random bytes. One is made where there is none. */
  @MayBeLeftOut()
  @CanBeSecret()
  @ApiPropertyOptional({ writeOnly: true })
  secret?: string;
}

/** What is to be changed of a webhook; what is left out stays as it is. */
export class WebhookPatch extends WebhookBody {
  @MayBeLeftOut()
  @IsString()
  @ApiPropertyOptional({ example: 'https://billing.example/webhooks/symbolon' })
  url?: string;
}

/** How a secret is to be replaced. */
export class SecretRotation {
  /** For so many seconds messages are signed with the secret before this one, too; 0 for one that got out. */
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(7 * DAY_SECONDS)
  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: 7 * DAY_SECONDS, default: DAY_SECONDS })
  previous_valid_for?: number;

  /** One of your own; one is made where there is none. */
  @MayBeLeftOut()
  @CanBeSecret()
  @ApiPropertyOptional({ writeOnly: true })
  secret?: string;
}

/** A receiver of events. */
export class WebhookAnswer {
  @ApiProperty({ example: '5a2f8a0e-6b8f-4a63-9f5f-0c8d6f1a2b3c' })
  id!: string;

  @ApiProperty({ example: 'https://billing.example/webhooks/symbolon' })
  url!: string;

  @ApiPropertyOptional({ example: 'The billing service' })
  description?: string;

  /** What it is told of; everything where this is not there. */
  @ApiPropertyOptional({ enum: WEBHOOK_EVENTS, isArray: true })
  events?: string[];

  @ApiProperty()
  enabled!: boolean;

  /** Since when it is told nothing. */
  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  disabled_at?: string;

  /** Until when messages are, or were, signed with the secret before this one, too. */
  @ApiPropertyOptional({ example: '2026-01-02T00:00:00.000Z' })
  previous_secret_expires_at?: string;

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  updated_at!: string;
}

/** A webhook with the secret that it was just given. */
export class WebhookSecretAnswer extends WebhookAnswer {
  /** What messages are signed with. Shown this once. */
  @ApiProperty({ example: 'whsec_…' })
  secret!: string;
}

export class WebhookList {
  @ApiProperty({ type: () => [WebhookAnswer] })
  data!: WebhookAnswer[];

  @ApiProperty()
  meta!: ListMeta;
}

export class DeliveryQuery extends PageQuery {
  @IsOptional()
  @IsIn(STATES)
  state?: WebhookDeliveryState;
}

/** An event on its way to a webhook. */
export class DeliveryAnswer {
  /** The `webhook-id` under which the receiver gets it. */
  @ApiProperty({ example: '0b7c7b3e-2f0c-4f0e-8f1e-3a1d3c5b7e9f' })
  id!: string;

  @ApiProperty({ example: 'identity.linked' })
  event!: string;

  /** `disabled`: the webhook was before it could be delivered; `failed`: it was tried for days in vain. */
  @ApiProperty({ enum: STATES, example: 'delivered' })
  state!: string;

  @ApiProperty({ type: 'integer', example: 1 })
  attempts!: number;

  /** Why the latest attempt failed; `paused` while the receiver is left alone. */
  @ApiPropertyOptional({ example: 'status 500' })
  last_error?: string;

  /** Not there while it is being delivered, and once it has ended. */
  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  next_attempt_at?: string;

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;

  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  ended_at?: string;
}

export class DeliveryList {
  @ApiProperty({ type: () => [DeliveryAnswer] })
  data!: DeliveryAnswer[];

  @ApiProperty()
  meta!: ListMeta;
}

export function toWebhookChanges({ url, description, events, enabled }: WebhookPatch): WebhookChanges {
  return {
    ...(url !== undefined && { url }),
    ...(description !== undefined && { description }),
    ...(events !== undefined && { events }),
    ...(enabled !== undefined && { enabled }),
  };
}

export function toRotation({ previous_valid_for = DAY_SECONDS, secret }: SecretRotation) {
  return { previousValidForMs: previous_valid_for * 1000, chosen: toSecret(secret) };
}

export function toWebhookAnswer(webhook: Webhook): WebhookAnswer {
  const { disabledAt, previousSecretExpiresAt } = webhook;
  return {
    id: webhook.id,
    url: webhook.url,
    ...(webhook.description !== undefined && { description: webhook.description }),
    ...(webhook.events !== undefined && { events: [...webhook.events] }),
    enabled: disabledAt === undefined,
    ...(disabledAt !== undefined && { disabled_at: isoTime(disabledAt)! }),
    ...(previousSecretExpiresAt !== undefined && { previous_secret_expires_at: isoTime(previousSecretExpiresAt)! }),
    created_at: isoTime(webhook.createdAt)!,
    updated_at: isoTime(webhook.updatedAt)!,
  };
}

export function toWebhookSecretAnswer({ webhook, secret }: WebhookWithSecret): WebhookSecretAnswer {
  return Object.assign(toWebhookAnswer(webhook), { secret: secret.reveal() });
}

export function toDeliveryAnswer(delivery: WebhookDelivery): DeliveryAnswer {
  const { id, event, state, attempts, lastError, nextAttemptAt, createdAt, endedAt } = delivery;
  return {
    id,
    event,
    state,
    attempts,
    ...(lastError !== undefined && { last_error: lastError }),
    ...(nextAttemptAt !== undefined && { next_attempt_at: isoTime(nextAttemptAt)! }),
    created_at: isoTime(createdAt)!,
    ...(endedAt !== undefined && { ended_at: isoTime(endedAt)! }),
  };
}
