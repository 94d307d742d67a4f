import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { Secret } from '../common/secret.js';
import { ConfigurationError } from './configuration-error.js';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from './signing-algorithms.js';

const KEY_COMMAND = `node -e "console.log('k1:' + require('crypto').randomBytes(32).toString('base64'))"`;

/** One key-encryption key: `id` is written beside every data key it wraps. */
export interface EncryptionKey {
  id: string;
  key: Buffer;
}

const seconds = (fallback: number, maximum = 10 * 365 * 86_400) =>
  z.coerce.number('must be a number of seconds').int().min(1).max(maximum).default(fallback);

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

/** First segments of our own routes, of this release and of the documented interfaces that are to come. */
const OWN_PATHS = new Set(
  [
    '.well-known admin account api auth connect device docs federated-identities healthz jwks login logout me metrics',
    'oauth2 openapi openapi.json readyz reg request revoke sso token user v1beta1',
  ].flatMap((names) => names.split(' ')),
);

/** A name is refused only where it cannot be one; whether it resolves is seen when it is used. */
const networks = (names: RegExp, example: string) =>
  list.refine(
    (entries) => entries.every((entry) => names.test(entry) || ipaddr.isValid(entry) || ipaddr.isValidCIDR(entry)),
    `must be a comma-separated list of addresses or CIDRs, such as ${example}`,
  );

const issuer = z.string().transform((text, context) => {
  const url = URL.parse(text);
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.search ||
    url.hash ||
    url.username ||
    url.password ||
    text.endsWith('?')
  ) {
    context.addIssue('must be an http(s) URL without query, fragment or user, such as https://login.example.com');
    return z.NEVER;
  }
  const [, first = ''] = url.pathname.split('/');
  if (OWN_PATHS.has(first)) {
    context.addIssue(
      `must not have a path that begins with /${first}: routes of ours do, and answer with and without the path`,
    );
    return z.NEVER;
  }
  return text.replace(/\/+$/, '');
});

const databaseUrl = z
  .string()
  .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)$/, 'must be sqlite:<file> or postgres://user:password@host:port/database')
  .default('sqlite:data/symbolon.sqlite');

const encryptionKeys = z
  .string(
    `is required: keys are written id:base64-of-32-bytes, comma-separated, the first one encrypts. Make one with:\n  ${KEY_COMMAND}`,
  )
  .transform((text, context): EncryptionKey[] => {
    const keys = text.split(',').map((entry) => {
      const [id = '', encoded = ''] = entry.trim().split(':');
      return { id, key: Buffer.from(encoded, 'base64') };
    });
    for (const { id, key } of keys) {
      if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || key.length !== 32) {
        context.addIssue(
          `must be id:base64-of-32-bytes, comma-separated; ids have 1 to 32 letters, digits, - or _. Make one with:\n  ${KEY_COMMAND}`,
        );
        return z.NEVER;
      }
    }
    if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
      context.addIssue('holds the same key id twice; give every key an id of its own');
      return z.NEVER;
    }
    return keys;
  });

const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false', 'on', 'off'], 'must be true or false (or on, off)')
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true' || text === 'on');

/** ES256 signs access tokens, RS256 the id_tokens of clients that say nothing: OpenID Connect Core 1.0 section 15.1 demands it. */
const ALWAYS_SIGNED_WITH: readonly SigningAlgorithm[] = ['ES256', 'RS256'];

const environment = z.object({
  PORT: z.coerce.number('must be a port number').int().min(1).max(65_535).default(3000),
  HOST: z.string().default('127.0.0.1'),
  ISSUER: issuer.optional(),
  DATABASE_URL: databaseUrl,
  /** The most connections of one process to PostgreSQL. One would not do: what must outlive a transaction needs another. */
  DATABASE_POOL_SIZE: z.coerce.number('must be a number of connections').int().min(2).max(1_000).default(10),
  /** How long one statement may take; a connection to PostgreSQL on which nothing is answered for longer is given up. */
  DATABASE_TIMEOUT_MS: z.coerce.number('must be a number of milliseconds').int().min(500).max(120_000).default(10_000),
  MIGRATIONS_RUN: flag(true),
  CONFIG_FILE: z.string().optional(),
  ENCRYPTION_KEYS: encryptionKeys,
  ADMIN_API_KEY: z
    .string()
    .min(32, 'must have at least 32 characters; leave it out to switch the static admin key off')
    .transform((text) => new Secret(text))
    .optional(),
  TRUST_PROXY: networks(/^(loopback|linklocal|uniquelocal)$/, '10.0.0.0/8 or loopback'),
  OUTBOUND_ALLOW: networks(
    /^(?!\d+(\.\d+)*$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i,
    'idp.internal or 10.1.0.0/16; host names may stand in it, too',
  ),
  /** The same for URLs that clients choose, such as their jwks_uri. */
  OUTBOUND_ALLOW_CLIENTS: networks(
    /^(?!\d+(\.\d+)*$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i,
    'app.internal or 10.2.0.0/16; host names may stand in it, too',
  ),
  DOCS: z.enum(['on', 'off'], 'must be on or off').default('on'),
  /** Whether /metrics is served: to anybody who reaches the port, so not through the gateway. */
  METRICS: z.enum(['on', 'off'], 'must be on or off').default('on'),
  SIGNING_ALGS: list.transform((names, context): readonly SigningAlgorithm[] => {
    if (names.length === 0) return ALWAYS_SIGNED_WITH;
    const unknown = names.find((name) => !(SIGNING_ALGORITHMS as readonly string[]).includes(name));
    if (unknown !== undefined) {
      context.addIssue(`must be a comma-separated list out of ${SIGNING_ALGORITHMS.join(', ')}`);
      return z.NEVER;
    }
    if (ALWAYS_SIGNED_WITH.some((name) => !names.includes(name))) {
      context.addIssue('must include ES256, which signs access tokens, and RS256, which OpenID Connect demands');
      return z.NEVER;
    }
    return names as SigningAlgorithm[];
  }),
  /** After so many days the next key signs; 0 leaves it to the operator. */
  SIGNING_KEY_ROTATION_DAYS: z.coerce.number('must be a number of days').int().min(0).max(3_650).default(90),
  UPSTREAM_TIMEOUT_MS: z.coerce.number('must be a number of milliseconds').int().min(100).max(120_000).default(10_000),
  UPSTREAM_LEASE_MS: z.coerce.number('must be a number of milliseconds').int().min(1_000).max(600_000).default(30_000),
  UPSTREAM_REFRESH_THRESHOLD: seconds(300),
  /** The most connections of one process to one origin of a provider. */
  UPSTREAM_MAX_CONNECTIONS: z.coerce.number('must be a number of connections').int().min(1).max(10_000).default(32),
  /** The most callers of one process that wait for a refresh at a time. */
  MAX_WAITING_READERS: z.coerce.number('must be a number of callers').int().min(1).max(1_000_000).default(1_000),
  /** Whether users who have a password may sign in here with it; the pages offer it only then. */
  PASSWORD_SIGN_IN: flag(false),
  AUDIT_RETENTION_DAYS: z.coerce.number('must be a number of days').int().min(1).max(36_500).optional(),
  SHUTDOWN_DELAY_MS: z.coerce.number('must be a number of milliseconds').int().min(0).max(60_000).default(0),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be trace, debug, info, warn, error, fatal or silent',
    )
    .default('info'),
  ACCESS_TOKEN_TTL: seconds(3600, 86_400),
  REFRESH_TOKEN_TTL: seconds(30 * 86_400),
  REFRESH_TOKEN_IDLE_TTL: seconds(14 * 86_400),
  AUTHORIZATION_CODE_TTL: seconds(60, 60),
  SESSION_TTL: seconds(8 * 3600),
});

export type Environment = z.output<typeof environment>;

/** Reads and validates the environment; an empty variable counts as absent. */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const present = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(present);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const name = String(first?.path[0] ?? 'environment');
    throw new ConfigurationError(`${name} ${describe(first)}`);
  }
  const { UPSTREAM_LEASE_MS: lease, UPSTREAM_TIMEOUT_MS: timeout } = parsed.data;
  if (lease < timeout + 5_000) {
    throw new ConfigurationError(
      `UPSTREAM_LEASE_MS must be at least 5000 above UPSTREAM_TIMEOUT_MS (${timeout}), so that a lease outlives the call it guards`,
    );
  }
  return parsed.data;
}

function describe(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'is not valid';
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  if (issue.code === 'too_small' && issue.origin !== 'string') return `must be at least ${issue.minimum}`;
  return issue.message;
}
