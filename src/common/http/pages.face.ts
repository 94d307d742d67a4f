import type { DomainError } from '../domain-error.js';
import type { ErrorTable, Face } from './face.js';
import { html, page, pageHeaders } from './html.js';

type Wording = [status: number, title: string, text: string];

const TRY_AGAIN = 'Please try again in a moment.';
const wrong: Wording = [400, 'That did not work', 'The request is not valid.'];
const denied: Wording = [403, 'Not allowed', 'This is not allowed.'];
const failed: Wording = [500, 'Something went wrong', 'The error is on our side and has been recorded.'];
const signIn: Wording = [401, 'Please sign in', 'You have to sign in to see this page.'];

const WORDINGS: ErrorTable<Wording> = {
  'request.malformed': wrong,
  'request.too-large': [413, 'That was too much', 'The request is too large.'],
  'request.unsupported-media-type': [415, 'That did not work', 'The request has the wrong content type.'],
  'request.not-acceptable': [406, 'That did not work', 'There is only a page to be had here.'],
  'request.rate-limited': [429, 'Too many tries', TRY_AGAIN],
  'request.method-not-allowed': [405, 'That did not work', 'This page cannot be asked in this way.'],
  'request.route-unknown': [404, 'Not found', 'There is no such page.'],
  'request.parameter-invalid': wrong,
  'resource.not-found': [404, 'Not found', 'There is no such thing.'],
  'resource.conflict': [409, 'That did not work', 'It exists already.'],
  'credentials.missing': signIn,
  'credentials.unreadable': signIn,
  'credentials.token-too-large': signIn,
  'credentials.token-invalid': signIn,
  'credentials.token-revoked': signIn,
  'credentials.not-an-access-token': signIn,
  'credentials.proof-required': signIn,
  'credentials.caveat-unverified': signIn,
  'credentials.password-wrong': signIn,
  'credentials.basic-disabled': signIn,
  'credentials.user-blocked': [403, 'Account blocked', 'This account has been blocked by the administrator.'],
  'access.forbidden': denied,
  'client.unauthenticated': wrong,
  'client.grant-not-allowed': denied,
  'grant.unsupported': wrong,
  'grant.invalid': wrong,
  'grant.reused': wrong,
  'scope.invalid': wrong,
  'user.blocked': [403, 'Account blocked', 'This account has been blocked by the administrator.'],
  'provider.unknown': [404, 'Not found', 'There is no such identity provider.'],
  'provider.offline-access-off': denied,
  'identity.not-linked': wrong,
  'identity.reauthentication-required': wrong,
  'identity.missing-scopes': wrong,
  'identity.held-by-another-user': [409, 'Account in use', 'This account is connected to another user.'],
  'upstream.unavailable': [503, 'The identity provider does not answer', TRY_AGAIN],
  'upstream.misconfigured': [
    500,
    'The identity provider is not set up correctly',
    'The operator of this service has to correct it.',
  ],
  'server.unavailable': [503, 'Not available', TRY_AGAIN],
  'server.error': failed,
};

/** The pages that a browser sees say what went wrong as a page, with the id under which the log knows it. */
export function pagesFace(name: string, owns: (path: string) => boolean): Face {
  return {
    name,
    owns,
    render: (error: DomainError, { requestId }) => {
      const [status, title, text] = WORDINGS[error.code];
      return {
        status,
        contentType: 'text/html; charset=utf-8',
        headers: {
          ...pageHeaders(),
          ...(status === 401 && { 'WWW-Authenticate': 'Cookie realm="symbolon"' }),
          ...(error.meta.retryAfterSeconds !== undefined && { 'Retry-After': String(error.meta.retryAfterSeconds) }),
        },
        body: page(
          title,
          html`<h1>${title}</h1>
            <p>${error.publicDetail ?? text}</p>
            <p class="muted">Reference: <code>${requestId}</code></p>`,
        ),
      };
    },
  };
}
