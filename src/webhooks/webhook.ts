import type { Secret } from '../common/secret.js';

/** What a webhook can be told about linked accounts. */
export const WEBHOOK_EVENTS = [
  /** An account that had no tokens has some: somebody signed in with it or connected it, or it was imported. */
  'identity.linked',
  'identity.unlinked',
  /** The access token was refreshed. */
  'upstream-token.refreshed',
  /** Its tokens are served no more until its user has signed in at the provider again; `reason` says why. */
  'identity.reauthentication-required',
  /** That has been done. */
  'identity.recovered',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** What an administrator sends to see whether a receiver works; goes to it whatever it wants to hear. */
export const TEST_EVENT = 'webhook.test';

/** A receiver of events, without its secrets. */
export interface Webhook {
  id: string;
  url: string;
  description: string | undefined;
  /** All, where there is nothing. */
  events: readonly WebhookEvent[] | undefined;
  disabledAt: number | undefined;
  /** Until when messages are signed with the secret before this one, too. */
  previousSecretExpiresAt: number | undefined;
  createdAt: number;
  updatedAt: number;
}

/** Where a message goes, and what it is signed with: the secrets that are valid now, the newest first. */
export interface Receiver {
  url: string;
  disabled: boolean;
  secrets: readonly Secret[];
}

/** What is left out stays as it is; null clears it. */
export interface WebhookChanges {
  url?: string;
  description?: string | null;
  events?: readonly WebhookEvent[] | null;
  enabled?: boolean;
}

/** How far an event has come on its way to a webhook. */
export interface WebhookDelivery {
  /** The event's, as the receiver sees it. */
  id: string;
  event: string;
  /** `disabled`: the webhook was, before it could be delivered; `failed`: it was tried for days in vain. */
  state: 'pending' | 'delivered' | 'failed' | 'disabled';
  attempts: number;
  /** Why the latest attempt failed, in a word of ours. */
  lastError: string | undefined;
  /** Nothing while it is being delivered, and once it has ended. */
  nextAttemptAt: number | undefined;
  createdAt: number;
  endedAt: number | undefined;
}
export type WebhookDeliveryState = WebhookDelivery['state'];
