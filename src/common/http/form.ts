import { validateSync } from 'class-validator';
import type { Request } from 'express';
import { DomainError, invalidParameter } from '../domain-error.js';
import { documentedMembers } from './documented-members.js';

const MAX_PARAMETER_BYTES = 8_192;
/** RFC 8707 section 2, RFC 8693 section 2.1. */
const REPEATABLE = new Set(['resource', 'audience']);
const FORM_EXPECTED = 'The body must be application/x-www-form-urlencoded.';

/**
 * Reads `application/x-www-form-urlencoded` parameters: a repeated one is refused, an empty value counts as absent,
 * unknown ones are kept for whoever knows them. @see RFC 6749 sections 3.1, 3.2 and appendix B
 */
export function formParameters(encoded: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(encoded)) {
    if (seen.has(name) && !REPEATABLE.has(name)) throw invalidParameter(name, 'is repeated');
    seen.add(name);
    if (Buffer.byteLength(value) > MAX_PARAMETER_BYTES)
      throw invalidParameter(name, `is longer than ${MAX_PARAMETER_BYTES} bytes`);
    if (value !== '') parameters.set(name, value);
  }
  return parameters;
}

/**
 * URLSearchParams would put U+FFFD in the place of what is no UTF-8, and many texts would become one. A provider that
 * sends somebody back to us may word its errors in whatever encoding it likes.
 */
function refuseOtherEncodings(encoded: string): void {
  try {
    for (const [escapes] of encoded.matchAll(/(?:%[0-9a-f]{2})+/gi)) decodeURIComponent(escapes);
  } catch {
    throw new DomainError('request.malformed', { publicDetail: 'The parameters are not in UTF-8.' });
  }
}

/**
 * The parameters of a form body, checked against the shape that the endpoint documents.
 * @throws DomainError `request.unsupported-media-type` where another kind of body was sent
 */
export function formBody(body: unknown, Shape?: new () => object): ReadonlyMap<string, string> {
  if (body === undefined) return new Map();
  if (!(body instanceof FormBody))
    throw new DomainError('request.unsupported-media-type', { publicDetail: FORM_EXPECTED });
  const parameters = formParameters(body.encoded);
  const [invalid] = Shape ? validateSync(documentedMembers(Shape, Object.fromEntries(parameters)).value) : [];
  if (invalid)
    throw invalidParameter(
      invalid.property,
      Object.values(invalid.constraints ?? {})[0]?.replace(`${invalid.property} `, '') ?? 'is not valid',
    );
  return parameters;
}

/**
 * The same of a request of a client, which has to be a form in UTF-8 or empty: a body that nobody could read is not
 * taken for none.
 * @throws DomainError `request.unsupported-media-type`, `request.malformed`
 */
export function requestForm(request: Request, Shape?: new () => object): ReadonlyMap<string, string> {
  const { 'content-length': length = '0', 'transfer-encoding': chunked } = request.headers;
  const body: unknown = request.body;
  if (body === undefined && (Number(length) > 0 || chunked !== undefined)) {
    throw new DomainError('request.unsupported-media-type', { publicDetail: FORM_EXPECTED });
  }
  if (body instanceof FormBody) refuseOtherEncodings(body.encoded);
  return formBody(body, Shape);
}

/**
 * A form as it was sent, told apart from a JSON body, which may hold anything. Only who takes forms reads it: a face that
 * expects JSON, or no body at all, is not to stumble over a repeated parameter.
 */
export class FormBody {
  constructor(readonly encoded: string) {}
}

/** The parameters of the query, from the URL as it was sent: Express would fold repeated ones into arrays. */
export function queryParameters(url: string): Map<string, string> {
  const start = url.indexOf('?');
  return formParameters(start === -1 ? '' : url.slice(start + 1));
}
