import { AsyncLocalStorage } from 'node:async_hooks';

/** What a log line or an audit row says about the request it belongs to. */
export interface RequestContext {
  readonly requestId: string;
  /** The caller's network address; behind TRUST_PROXY the forwarded one. */
  readonly address: string | undefined;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();
