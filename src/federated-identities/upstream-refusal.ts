import { DomainError } from '../common/domain-error.js';
import { UpstreamError } from '../identity-providers/index.js';

/** What a person is told when a provider could not be asked, or its answer not be believed; other errors as they are. */
export function toDomainError(error: unknown): unknown {
  if (!(error instanceof UpstreamError)) return error;
  const privateDetail = error.message;
  switch (error.kind) {
    case 'unavailable':
      return new DomainError('upstream.unavailable', {
        privateDetail,
        meta: { retryAfterSeconds: Math.ceil((error.retryAfterMs ?? 5_000) / 1000) },
      });
    case 'misconfigured':
      return new DomainError('upstream.misconfigured', { privateDetail });
    default:
      return new DomainError('access.forbidden', {
        publicDetail: 'The answer of the identity provider could not be accepted. Please start again.',
        privateDetail,
      });
  }
}
