import type { PresentedClient } from '../../../clients/index.js';
import { DomainError, invalidParameter } from '../../../common/domain-error.js';
import { Secret } from '../../../common/secret.js';

/** RFC 7523 section 2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Where a client authenticates; discovery names one of each kind, the faces have more. */
const ENDPOINTS = [
  '/token',
  '/token/introspection',
  '/token/revocation',
  '/revoke',
  '/oauth2/tokens',
  '/oauth2/tokens/introspect',
  '/oauth2/tokens/revoke',
  '/oauth2/tokens/revoke-all',
];

export interface PresentationOptions {
  /** Whether the face documents `assertion` for what RFC 7523 calls `client_assertion`. */
  documentsAssertion?: boolean;
}

/**
 * Which client a form request says it is, and how. @see RFC 6749 section 2.3.1: Basic credentials are form-encoded
 * before they are base64-encoded, and a request uses one method.
 * @throws DomainError `request.parameter-invalid` when two methods are used or they disagree
 */
export function presentedClient(
  authorization: string | undefined,
  form: ReadonlyMap<string, string>,
  options: PresentationOptions = {},
): PresentedClient | undefined {
  const clientId = form.get('client_id');
  const secret = form.get('client_secret');
  const assertion = presentedAssertion(form, options);
  const basic = authorization === undefined ? undefined : decodeBasic(authorization);
  // Credentials that cannot be read are wrong ones, not none.
  const byHeader = basic !== undefined || /^Basic\b/i.test(authorization ?? '');
  if ([byHeader, secret !== undefined, assertion !== undefined].filter(Boolean).length > 1) {
    throw twoMethods('The client used two authentication methods.');
  }
  if (byHeader) {
    if (basic && clientId !== undefined && clientId !== basic.clientId)
      throw twoMethods('client_id is not the authenticated client.');
    return basic;
  }
  if (assertion) return { method: 'client_assertion', clientId, assertion, endpoints: ENDPOINTS };
  if (clientId === undefined) return undefined;
  return secret === undefined
    ? { method: 'none', clientId }
    : { method: 'client_secret_post', clientId, secret: new Secret(secret) };
}

/** An `assertion` may be a grant of its own; it is the client's only where the request says so. */
function presentedAssertion(
  form: ReadonlyMap<string, string>,
  { documentsAssertion = false }: PresentationOptions,
): Secret | undefined {
  const type = form.get('client_assertion_type');
  const standard = form.get('client_assertion');
  const counts = documentsAssertion && type !== undefined && form.get('grant_type') !== JWT_BEARER_GRANT;
  const documented = counts ? form.get('assertion') : undefined;
  if (standard !== undefined && documented !== undefined) {
    throw twoMethods('assertion and client_assertion are the same, and one of them is enough.');
  }
  const assertion = standard ?? documented;
  if (type === undefined && assertion === undefined) return undefined;
  if (type === undefined) throw invalidParameter('client_assertion_type', 'is missing');
  if (type !== ASSERTION_TYPE) throw invalidParameter('client_assertion_type', 'is not supported');
  if (assertion === undefined) throw invalidParameter('client_assertion', 'is missing');
  return new Secret(assertion);
}

function decodeBasic(authorization: string): (PresentedClient & { method: 'client_secret_basic' }) | undefined {
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
