import { AsyncLocalStorage } from 'node:async_hooks';

/** What a log line or an audit row says about the request it belongs to. */
export interface RequestContext {
  readonly requestId: string;
  /** The caller's network address; behind TRUST_PROXY the forwarded one. */
  readonly address: string | undefined;
  /** Who is asking, where that is no user: set by the guard of the admin API. */
  actor?: string;
  /** The client through which a change is asked for: what is audited below says so without being told. */
  clientId?: string;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();
