import { DomainError } from '../common/domain-error.js';

/**
 * What PostgreSQL says when it is going away, coming back, full, overloaded or not the primary (any more).
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQLSTATES = /^(08|53|58)\w{3}$|^(57P0[1-5]|57014|25006|25P03)$/;
/** The operating system's and Node's words for a connection that does not come about or breaks. */
const SYSTEM_CODES = /^(ECONN\w+|EHOST\w+|ENET\w+|EAI_\w+|ENOTFOUND|ETIMEDOUT|EPIPE|ERR_(SSL|SOCKET|STREAM|TLS)_\w+)$/;
/** The driver has no codes of its own. */
const MESSAGES =
  /^(Connection terminated|Query read timeout|timeout expired|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed))/;

/** Whether the database is away, or too busy, rather than asked for something wrong. */
export function isUnavailable(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof DomainError) return one.code === 'server.unavailable';
    const { code } = ('driverError' in one ? one.driverError : one) as { code?: string };
    if (code === undefined ? MESSAGES.test(one.message) : SQLSTATES.test(code) || SYSTEM_CODES.test(code)) return true;
  }
  return false;
}

/** What callers are told of it: to try again soon. */
export function unavailable(cause: unknown): DomainError {
  return new DomainError('server.unavailable', { cause, meta: { retryAfterSeconds: 1 } });
}
