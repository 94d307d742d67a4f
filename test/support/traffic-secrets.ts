import { forms } from './html-form.js';
import type { SecretLedger } from './secret-ledger.js';

/** Parameter and member names (lower-case, without separators) whose values are secret wherever they appear. */
const SECRET_NAMES = new Set([
  'accesstoken',
  'apikey',
  'assertion',
  'clientassertion',
  'clientsecret',
  'codeverifier',
  'csrftoken',
  'devicecode',
  'idtoken',
  'idtokenhint',
  'password',
  'refreshtoken',
  'registrationaccesstoken',
  'subjecttoken',
  'ticket',
  'token',
]);

const SECRET_REQUEST_HEADERS = ['authorization', 'macaroon', 'slashid-api-key', 'x-auth-token'];

const isSecretName = (name: string): boolean => SECRET_NAMES.has(name.replaceAll(/[-_]/g, '').toLowerCase());

/** `code` is an authorization code in a query or form, but an error code in JSON. `state` is no secret. */
export function recordParameters(ledger: SecretLedger, parameters: URLSearchParams, where: string): void {
  for (const [name, value] of parameters) {
    if (name === 'code' || isSecretName(name)) ledger.add(value, `${where} ${name}`);
  }
}

export function recordUrl(ledger: SecretLedger, url: URL): void {
  recordParameters(ledger, url.searchParams, 'query');
  if (url.hash.includes('=')) recordParameters(ledger, new URLSearchParams(url.hash.slice(1)), 'fragment');
}

export function recordJson(ledger: SecretLedger, value: unknown, name = ''): void {
  if (typeof value === 'string') {
    if (isSecretName(name)) ledger.add(value, `json ${name}`);
  } else if (Array.isArray(value)) {
    for (const item of value) recordJson(ledger, item, name);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) recordJson(ledger, member, key);
  }
}

/** Credentials of every scheme; of Basic also the password inside, as it was meant (RFC 6749 §2.3.1 encodes it). */
export function recordRequestHeaders(ledger: SecretLedger, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!SECRET_REQUEST_HEADERS.includes(name.toLowerCase())) continue;
    const credentials = value.slice(value.lastIndexOf(' ') + 1);
    ledger.add(credentials, `header ${name.toLowerCase()}`);
    if (!/^basic /i.test(value)) continue;
    const decoded = Buffer.from(credentials, 'base64').toString('utf8');
    const password = decoded.slice(decoded.indexOf(':') + 1);
    ledger.add(password, 'basic password');
    ledger.add(new URLSearchParams(`p=${password}`).get('p') ?? '', 'basic password');
  }
}

/** Hidden fields of pages: CSRF tokens and whatever a form_post answer carries. */
export function recordHtml(ledger: SecretLedger, html: string): void {
  for (const { fields } of forms(html)) recordParameters(ledger, new URLSearchParams(fields), 'page');
}
