import { createHash, randomBytes } from 'node:crypto';
import type { Upstream } from '../../../scripts/upstream-provider.mjs';
import { Browser, type BrowserResponse } from '../../support/http-browser.js';

export const CALLBACK = 'http://127.0.0.1:9/callback';
export const CLIENT = { client_id: 'broker', client_secret: 'broker-secret-broker-secret', redirect_uris: [CALLBACK] };

export interface Login {
  /** The redirect to the callback; requests nothing there. */
  response: BrowserResponse;
  verifier: string;
}

export interface TokenAnswer {
  access_token: string;
  refresh_token: string;
  id_token: string;
  expires_in: number;
  error?: string;
}

/** Walks a browser to the provider and back, up to the redirect that carries code or error. */
export async function logIn(browser: Browser, upstream: Upstream, extra: Record<string, string> = {}): Promise<Login> {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL('/auth', upstream.issuer);
  url.search = new URLSearchParams({
    client_id: CLIENT.client_id,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid email profile offline_access',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  }).toString();
  const response = await browser.get(url, { stopBefore: ({ href }) => href.startsWith(CALLBACK) });
  return { response, verifier };
}

export function postToken(
  upstream: Upstream,
  form: Record<string, string>,
  browser = new Browser(),
): Promise<BrowserResponse> {
  const credentials = Buffer.from(`${CLIENT.client_id}:${CLIENT.client_secret}`).toString('base64');
  return browser.request(`${upstream.issuer}/token`, { form, headers: { authorization: `Basic ${credentials}` } });
}

export async function redeem(upstream: Upstream, { response, verifier }: Login): Promise<TokenAnswer> {
  const answer = await postToken(upstream, {
    grant_type: 'authorization_code',
    code: response.location?.searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  });
  return answer.json<TokenAnswer>();
}

export function refresh(upstream: Upstream, token: string): Promise<BrowserResponse> {
  return postToken(upstream, { grant_type: 'refresh_token', refresh_token: token });
}
