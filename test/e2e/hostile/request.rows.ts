import { gzipSync } from 'node:zlib';
import type { RawRequest } from '../../support/raw-http.js';
import { KEEPER } from '../../support/token-clients.js';
import type { Endpoint, Refusal } from './faces.js';

export const MAX_BODY_BYTES = 65_536;
export const MAX_PARAMETER_BYTES = 8_192;
export const FORM = 'application/x-www-form-urlencoded';
const MEGABYTE = 1_000_000;
const FORM_EXPECTED = 'The body must be application/x-www-form-urlencoded.';

export const basicOf = (id: string, secret: string): { Authorization: string } => ({
  Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});
const AUTHORIZATION = basicOf(KEEPER.client_id, KEEPER.client_secret);

export interface HostileRow {
  name: string;
  request: RawRequest;
  refused: Refusal;
}

const invalid = (text: string): Refusal => ({ why: 'invalid_request', text });
const TOO_LARGE: Refusal = { why: 'too-large' };

const chunked = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** What every endpoint that takes a form refuses. */
export function rowsOf({ path, base, takesJson }: Endpoint): HostileRow[] {
  const parameter = base.split('=')[0] ?? '';
  /** A body by a client that proves itself, unless the headers say otherwise. */
  const sends = (body: string | Uint8Array, headers: Record<string, string> = {}): RawRequest => ({
    target: path,
    body,
    headers: { ...AUTHORIZATION, 'Content-Type': FORM, ...headers },
  });
  return [
    // Repeated parameters.
    { name: 'a parameter twice', request: sends(`${base}&${base}`), refused: invalid(`${parameter} is repeated`) },
    {
      name: 'scope twice, empty once',
      request: sends(`${base}&scope=&scope=reports:read`),
      refused: invalid('scope is repeated'),
    },
    {
      name: 'a name twice, once percent-encoded',
      request: sends(`${base}&%73cope=a&scope=b`),
      refused: invalid('scope is repeated'),
    },
    // Content types.
    ...['application/json', 'application/vnd.api+json'].map((type) => ({
      name: type,
      request: sends('{"scope":"reports:read"}', { 'Content-Type': type }),
      refused: invalid(takesJson && type === 'application/json' ? `${parameter} is missing` : FORM_EXPECTED),
    })),
    ...[
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/x-www-form-urlencodedx',
      '/',
    ].map((type) => ({
      name: type,
      request: sends(base, { 'Content-Type': type }),
      refused: invalid(FORM_EXPECTED),
    })),
    {
      name: 'no content type',
      request: { target: path, body: base, headers: AUTHORIZATION },
      refused: invalid(FORM_EXPECTED),
    },
    {
      name: 'a form in UTF-16',
      request: sends(Buffer.from(base, 'utf16le').swap16(), { 'Content-Type': `${FORM}; charset=utf-16` }),
      refused: invalid('The body must be in UTF-8.'),
    },
    ...['gzip', 'br', 'lzma'].map((coding) => ({
      name: `a content coding: ${coding}`,
      request: sends(gzipSync(base), { 'Content-Encoding': coding }),
      refused: invalid('The body must not be compressed.'),
    })),
    {
      name: 'JSON that breaks off',
      request: sends('{"grant_type":', { 'Content-Type': 'application/json' }),
      refused: invalid('The request body could not be parsed.'),
    },
    {
      name: 'JSON nested 30,000 deep',
      request: sends('['.repeat(30_000) + ']'.repeat(30_000), { 'Content-Type': 'application/json' }),
      refused: invalid(takesJson ? 'The body must be a JSON object.' : FORM_EXPECTED),
    },
    // Odd UTF-8 and percent-encoding.
    ...Object.entries({
      'a byte that UTF-8 has not': '\xff',
      'a sequence that breaks off': '\xc3',
      'an overlong slash': '\xc0\xaf',
      'a lone surrogate': '\xed\xa0\x80',
      'beyond U+10FFFF': '\xf4\x90\x80\x80',
    }).map(([name, text]) => ({
      name: `${name}, as it is`,
      request: sends(bytes(`${base}&scope=${text}`)),
      refused: invalid('The request body could not be parsed.'),
    })),
    ...['%00', '%ff', '%zz', '+', '%20', '%2525'].map((text) => ({
      name: `a secret with ${text} at its end`,
      request: sends(base, basicOf(KEEPER.client_id, `${KEEPER.client_secret}${text}`)),
      refused: { why: 'invalid_client' as const, authenticated: 'header' as const },
    })),
    // Paths.
    ...['%00', '%zz', '%2f', '%2e%2e', '/../x', ';x=1', '%'].map((text) => ({
      name: `${text} at the end of the path`,
      request: { ...sends(base), target: path + text },
      refused: { why: 'unknown-route' as const },
    })),
    // Sizes.
    { name: 'a form of 1 MB', request: sends(`${base}&x=${'a'.repeat(MEGABYTE)}`), refused: TOO_LARGE },
    {
      name: 'JSON of 1 MB',
      request: sends(JSON.stringify('a'.repeat(MEGABYTE)), { 'Content-Type': 'application/json' }),
      refused: TOO_LARGE,
    },
    {
      name: '"Bodies ≤ 64 KiB …: beyond that 413 …, cheaply": 1 MB of which not a byte was sent',
      request: sends('', { 'Content-Length': String(MEGABYTE) }),
      refused: TOO_LARGE,
    },
    {
      name: '"Bodies ≤ 64 KiB": one byte more, of a body that does not say how long it is and does not end',
      request: sends(chunked(bytes(`x=${'a'.repeat(MAX_BODY_BYTES - 1)}`)), { 'Transfer-Encoding': 'chunked' }),
      refused: TOO_LARGE,
    },
    {
      name: 'gzip that unpacks to 1 MB',
      request: sends(gzipSync(`${base}&x=${'a'.repeat(MEGABYTE)}`), { 'Content-Encoding': 'gzip' }),
      refused: invalid('The body must not be compressed.'),
    },
    {
      name: '"parameters ≤ 8 KiB"',
      request: sends(`${base}&scope=${'a'.repeat(MAX_PARAMETER_BYTES + 1)}`),
      refused: invalid('scope is longer than 8192 bytes'),
    },
    {
      name: 'a parameter that is too long once it is decoded',
      request: sends(`${base}&scope=${'%C3%BC'.repeat(MAX_PARAMETER_BYTES / 2 + 1)}`),
      refused: invalid('scope is longer than 8192 bytes'),
    },
    ...['%ff', '%c3', '%c0%af', '%ed%a0%80', '%f4%90%80%80', 'a%ffb'].map((text) => ({
      name: `${text}, which is no UTF-8`,
      request: sends(`${base}&scope=${text}`),
      refused: invalid('The parameters are not in UTF-8.'),
    })),
    {
      name: '"One method per request": two Authorization headers',
      request: sends(base, { authorization: 'Basic eDp5' }),
      refused: invalid('The request has two Authorization headers.'),
    },
  ];
}

/** What a token endpoint refuses of the scope that is asked for. */
export const SCOPES: { text: string; refused: Refusal }[] = [
  ...['%00', 'a%0Ab', '+%20'].map((text) => ({
    text,
    refused: { why: 'invalid_scope' as const, text: 'scope is malformed.' },
  })),
  // None of these is decoded, and none twice.
  ...['%zz', '%', '%2', '%2573', '%25zz', '%u0073', 'reports%253Aread'].map((text) => ({
    text,
    refused: { why: 'invalid_scope' as const, text: 'The client is not registered for all of this scope.' },
  })),
];

export const scopeRequest = (target: string, text: string): RawRequest => ({
  target,
  body: `grant_type=client_credentials&scope=${text}`,
  headers: { ...AUTHORIZATION, 'Content-Type': FORM },
});
