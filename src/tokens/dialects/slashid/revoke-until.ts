import { invalidParameter } from '../../../common/domain-error.js';

const EPOCH_SECONDS = /^\d{1,11}$/;
/** @see RFC 3339 section 5.6 */
const DATE_TIME = /^(\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d)(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/**
 * The instant that a form names, as RFC 3339 or as seconds since the epoch; in milliseconds since the epoch.
 * @throws DomainError `request.parameter-invalid`
 */
export function revokeUntil(text: string): number {
  if (EPOCH_SECONDS.test(text)) return Number(text) * 1000;
  const [, local] = DATE_TIME.exec(text) ?? [];
  // A day that its month does not have would be taken for one of the next month.
  const isDay = local !== undefined && reads(`${local}Z`).startsWith(local.toUpperCase());
  if (!isDay) throw invalidParameter('until', 'must be a time of RFC 3339, or seconds since the epoch');
  return Date.parse(text.toUpperCase());
}

function reads(text: string): string {
  const at = Date.parse(text.toUpperCase());
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}
