import type { PresentedClient } from '../../../clients/index.js';
import { DomainError } from '../../../common/domain-error.js';
import { Secret } from '../../../common/secret.js';

/**
 * Which client a form request says it is, and how. @see RFC 6749 section 2.3.1: Basic credentials are form-encoded
 * before they are base64-encoded, and a request uses one method.
 * @throws DomainError `request.parameter-invalid` when two methods are used or they disagree
 */
export function presentedClient(
  authorization: string | undefined,
  form: ReadonlyMap<string, string>,
): PresentedClient | undefined {
  const clientId = form.get('client_id');
  const secret = form.get('client_secret');
  const basic = authorization === undefined ? undefined : decodeBasic(authorization);
  if (basic) {
    if (secret !== undefined) throw twoMethods('The client used two authentication methods.');
    if (clientId !== undefined && clientId !== basic.clientId)
      throw twoMethods('client_id is not the authenticated client.');
    return basic;
  }
  // Credentials that cannot be read are wrong ones, not none.
  if (/^Basic\b/i.test(authorization ?? '')) return undefined;
  if (clientId === undefined) return undefined;
  return secret === undefined
    ? { method: 'none', clientId }
    : { method: 'client_secret_post', clientId, secret: new Secret(secret) };
}

function decodeBasic(authorization: string): PresentedClient | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/_-]+=*)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  try {
    return {
      method: 'client_secret_basic',
      clientId: formDecode(text.slice(0, colon)),
      secret: new Secret(formDecode(text.slice(colon + 1))),
    };
  } catch {
    return undefined;
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function twoMethods(publicDetail: string): DomainError {
  return new DomainError('request.parameter-invalid', { publicDetail });
}
