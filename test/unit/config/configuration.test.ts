import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ConfigurationError, loadConfiguration } from '../../../src/config/index.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { encryptionKeys } from '../../support/service.js';

/** Stands in every wrong value and must never be printed. */
const PLANTED = 'planted-value';
const KEY_OF_31_BYTES = Buffer.from(PLANTED.padEnd(31, '!')).toString('base64');

const directory = temporaryDirectory();
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

interface Wrong {
  env?: Record<string, string | undefined>;
  config?: object;
}
const env = (variables: Record<string, string | undefined>): Wrong => ({ env: variables });
const client = (changes: Record<string, unknown>): Wrong => ({
  config: {
    clients: [
      { client_id: 'app', client_secret: PLANTED.repeat(3), redirect_uris: ['https://app.example/cb'], ...changes },
    ],
  },
});
const provider = (changes: Record<string, unknown>): Wrong => ({
  config: {
    identity_providers: [
      { id: 'idp', issuer: 'https://idp.example', client_id: 'x', client_secret: PLANTED, ...changes },
    ],
  },
});
const users = (...entries: Record<string, unknown>[]): Wrong => ({ config: { users: entries } });

const WRONG: [string, Wrong, RegExp][] = [
  ['ENCRYPTION_KEYS missing', env({ ENCRYPTION_KEYS: undefined }), /^ENCRYPTION_KEYS is required: .*node -e/s],
  ['ENCRYPTION_KEYS empty', env({ ENCRYPTION_KEYS: '' }), /^ENCRYPTION_KEYS is required/],
  [
    'ENCRYPTION_KEYS too short',
    env({ ENCRYPTION_KEYS: `k1:${KEY_OF_31_BYTES}` }),
    /^ENCRYPTION_KEYS must be id:base64-of-32-bytes.*node -e/s,
  ],
  ['ENCRYPTION_KEYS without id', env({ ENCRYPTION_KEYS: encryptionKeys('') }), /^ENCRYPTION_KEYS must be id:base64/],
  [
    'ENCRYPTION_KEYS with one id twice',
    env({ ENCRYPTION_KEYS: `${encryptionKeys()},${encryptionKeys()}` }),
    /^ENCRYPTION_KEYS holds the same key id twice/,
  ],
  ['ADMIN_API_KEY too short', env({ ADMIN_API_KEY: PLANTED }), /^ADMIN_API_KEY must have at least 32 characters/],
  ['ISSUER of another scheme', env({ ISSUER: `ftp://${PLANTED}` }), /^ISSUER must be an http\(s\) URL/],
  ['ISSUER with a query', env({ ISSUER: `https://a.example/?${PLANTED}` }), /^ISSUER must be an http\(s\) URL/],
  ['ISSUER with a password', env({ ISSUER: `https://:${PLANTED}@a.example` }), /^ISSUER must be an http\(s\) URL/],
  [
    'ISSUER below a path of ours',
    env({ ISSUER: 'https://a.example/login' }),
    /^ISSUER must not have a path that begins with \/login/,
  ],
  [
    'DATABASE_URL of another database',
    env({ DATABASE_URL: `mysql://${PLANTED}` }),
    /^DATABASE_URL must be sqlite:<file> or postgres:/,
  ],
  ['PORT', env({ PORT: PLANTED }), /^PORT must be a port number/],
  ['LOG_LEVEL', env({ LOG_LEVEL: PLANTED }), /^LOG_LEVEL must be trace, debug/],
  ['MIGRATIONS_RUN', env({ MIGRATIONS_RUN: PLANTED }), /^MIGRATIONS_RUN must be true or false \(or on, off\)$/],
  ['AUDIT_RETENTION_DAYS of nothing', env({ AUDIT_RETENTION_DAYS: '0' }), /^AUDIT_RETENTION_DAYS must be at least 1/],
  ['ACCESS_TOKEN_TTL of nothing', env({ ACCESS_TOKEN_TTL: '0' }), /^ACCESS_TOKEN_TTL must be at least 1/],
  [
    'AUTHORIZATION_CODE_TTL above its maximum',
    env({ AUTHORIZATION_CODE_TTL: '61' }),
    /^AUTHORIZATION_CODE_TTL must be at most 60/,
  ],
  ['SIGNING_ALGS', env({ SIGNING_ALGS: `ES256,${PLANTED}` }), /^SIGNING_ALGS must be a comma-separated list out of/],
  [
    'UPSTREAM_LEASE_MS below the call it guards',
    env({ UPSTREAM_LEASE_MS: '12000' }),
    /^UPSTREAM_LEASE_MS must be at least 5000 above/,
  ],
  ['DATABASE_POOL_SIZE of one', env({ DATABASE_POOL_SIZE: '1' }), /^DATABASE_POOL_SIZE must be at least 2/],
  ['DATABASE_TIMEOUT_MS', env({ DATABASE_TIMEOUT_MS: PLANTED }), /^DATABASE_TIMEOUT_MS must be a number of milli/],
  ['UPSTREAM_MAX_CONNECTIONS', env({ UPSTREAM_MAX_CONNECTIONS: '0' }), /^UPSTREAM_MAX_CONNECTIONS must be at least 1/],
  ['MAX_WAITING_READERS', env({ MAX_WAITING_READERS: PLANTED }), /^MAX_WAITING_READERS must be a number of callers/],
  ['OUTBOUND_ALLOW', env({ OUTBOUND_ALLOW: `${PLANTED} or so` }), /^OUTBOUND_ALLOW must be/],
  ['TRUST_PROXY', env({ TRUST_PROXY: `${PLANTED}/99` }), /^TRUST_PROXY must be/],
  [
    'CONFIG_FILE that is not there',
    env({ CONFIG_FILE: '/nowhere/config.yaml' }),
    /^CONFIG_FILE \/nowhere\/config\.yaml does not exist; correct/,
  ],
  [
    'CONFIG_FILE that is no YAML',
    env({ CONFIG_FILE: file('broken.yaml', `clients: [${PLANTED}`) }),
    /^CONFIG_FILE .*broken\.yaml is not readable YAML or JSON/,
  ],
  ['CONFIG_FILE that is a list', env({ CONFIG_FILE: file('list.yaml', `- ${PLANTED}`) }), /^CONFIG_FILE .*list\.yaml/],
  ['an unknown section', { config: { customers: [PLANTED] } }, /^CONFIG_FILE .*: unknown key customers/],
  ['an unknown key', client({ colour: PLANTED }), /^CONFIG_FILE .*: clients\[app\]: unknown key colour; remove it/],
  [
    'a variable that is not set',
    client({ client_secret: '${NOT_SET_ANYWHERE}' }),
    /^CONFIG_FILE clients\[0\]\.client_secret: the environment variable NOT_SET_ANYWHERE is not set/,
  ],
  [
    'a secret file that is not there',
    client({ client_secret_file: '/nowhere/secret' }),
    /^CONFIG_FILE clients\[0\]\.client_secret_file: the file it names cannot be read/,
  ],
  [
    'a short secret',
    client({ client_secret: PLANTED.slice(0, 7) }),
    /clients\[app\]\.client_secret must have at least 8 characters/,
  ],
  [
    'a redirect_uri in plain http',
    client({ redirect_uris: [`http://${PLANTED}.example/cb`] }),
    /clients\[app\]\.redirect_uris\[0\] must be an absolute https URL/,
  ],
  [
    'a redirect_uri with a fragment',
    client({ redirect_uris: [`https://a.example/#${PLANTED}`] }),
    /clients\[app\]\.redirect_uris\[0\] must be an absolute https URL/,
  ],
  [
    'a redirect_uri that runs',
    client({ redirect_uris: [`javascript:${PLANTED}`] }),
    /clients\[app\]\.redirect_uris\[0\] must be/,
  ],
  ['no redirect_uri', client({ redirect_uris: [] }), /clients\[app\]\.redirect_uris needs at least one entry/],
  [
    'a public client with a secret',
    client({ token_endpoint_auth_method: 'none' }),
    /clients\[app\]\.client_secret must be left out/,
  ],
  ['a confidential client without', client({ client_secret: undefined }), /clients\[app\]\.client_secret is required/],
  [
    'PKCE waived for a public client',
    client({ token_endpoint_auth_method: 'none', client_secret: undefined, require_pkce: false }),
    /clients\[app\]\.require_pkce can be waived for confidential clients only/,
  ],
  [
    'a client declared twice',
    {
      config: {
        clients: ['one', 'two'].map((name) => ({
          client_id: 'app',
          client_name: name,
          token_endpoint_auth_method: 'none',
          redirect_uris: ['https://a.example'],
        })),
      },
    },
    /clients\[app\]\.client_id is declared twice/,
  ],
  [
    'sign_up of the wrong type',
    provider({ sign_up: PLANTED }),
    /identity_providers\[idp\]\.sign_up must be true, false or a list of e-mail domains/,
  ],
  [
    'an issuer that is no URL',
    provider({ issuer: PLANTED }),
    /identity_providers\[idp\]\.issuer must be the provider's issuer URL/,
  ],
  [
    'upstream scopes without openid',
    provider({ scope: PLANTED }),
    /identity_providers\[idp\]\.scope must include openid/,
  ],
  [
    'basic_auth without a password',
    users({ username: 'ada', basic_auth: true }),
    /users\[ada\]\.password is required where basic_auth is true/,
  ],
  [
    'one upstream identity for two users',
    users(
      ...['ada', 'bob'].map((username) => ({
        username,
        identities: [{ identity_provider: 'mobypay', subject: PLANTED }],
      })),
    ),
    /users\[bob\]\.identities\S* /,
  ],
];

/** What a start with these settings says. */
function refusal({ env: variables = {}, config }: Wrong): string {
  const path = config && file('config.yaml', stringify(config));
  try {
    loadConfiguration({
      ENCRYPTION_KEYS: encryptionKeys(),
      ...(path !== undefined && { CONFIG_FILE: path }),
      ...variables,
    });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a wrong setting', () => {
  it.each(WRONG)('%s is refused with a message that names it and not its value', (_, wrong, text) => {
    const message = refusal(wrong);
    expect(message).toMatch(text);
    expect(message).not.toContain(PLANTED);
    expect(message).not.toContain(KEY_OF_31_BYTES);
  });
});

describe('config.example.yaml', () => {
  it('is accepted as it stands', () => {
    const path = 'config.example.yaml';
    const names = [...readFileSync(path, 'utf8').matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name = '']) => name);
    const values = Object.fromEntries(names.map((name) => [name, 'something long enough']));
    const { declared } = loadConfiguration({ ...values, ENCRYPTION_KEYS: encryptionKeys(), CONFIG_FILE: path });
    expect(declared.identity_providers.map(({ id }) => id)).toEqual(['mobypay', 'github', 'legacy']);
  });
});
