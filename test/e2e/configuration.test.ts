import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.mjs';
import { databases } from '../support/databases.js';
import { encryptionKeys, startService, type ServiceOptions } from '../support/service.js';
import { createWorld, type World } from '../support/world.js';

/** Stands in every wrong value and must never be printed. */
const PLANTED = 'planted-value';

type Wrong = Pick<ServiceOptions, 'env' | 'config'>;
const env = (variables: Record<string, string | undefined>): Wrong => ({ env: variables });
const client = (changes: Record<string, unknown>): Wrong => ({
  config: {
    clients: [
      { client_id: 'app', client_secret: PLANTED.repeat(3), redirect_uris: ['https://app.example/cb'], ...changes },
    ],
  },
});
/** As a person sees it; all other rows are `test/unit/config`'s. */
const WRONG: [string, Wrong, RegExp][] = [
  ['ENCRYPTION_KEYS missing', env({ ENCRYPTION_KEYS: undefined }), /^ENCRYPTION_KEYS is required: .*node -e/s],
  [
    'DATABASE_URL where nothing listens',
    env({ DATABASE_URL: `postgres://x:${PLANTED}@127.0.0.1:1/x` }),
    /^DATABASE_URL: the database cannot be opened \(ECONNREFUSED\); check/,
  ],
  [
    'DATABASE_URL below a file',
    env({ DATABASE_URL: `sqlite:/dev/null/${PLANTED}` }),
    /^DATABASE_URL: the database cannot be opened/,
  ],
  ['HOST that does not exist', env({ HOST: 'nowhere.invalid' }), /^HOST /],
  ['an unknown key', client({ colour: PLANTED }), /^CONFIG_FILE .*: clients\[app\]: unknown key colour; remove it/],
];

/** How the start ended: the message, and whether anything else was printed. */
async function failure(options: ServiceOptions): Promise<{ message: string; code: string; output: string }> {
  const ended = await startService(options).then(
    async (service) => {
      await service.kill();
      throw new Error('it started');
    },
    (error: Error) => /^the service ended with (\w+):\n([\s\S]*)$/.exec(error.message) ?? [error.message],
  );
  const [, code = '', output = ended[0] ?? ''] = ended;
  const [, message = ''] = /(?:^|\n)symbolon: ([\s\S]*)$/.exec(output) ?? [];
  return { message, code, output };
}

describe('a wrong setting', () => {
  it.concurrent.each(WRONG)(
    '%s ends the start with one message that names it and not its value',
    async (_, wrong, text) => {
      const { message, code, output } = await failure({ databaseUrl: 'sqlite:data/test.sqlite', ...wrong });
      expect(message).toMatch(text);
      expect(code).toBe('1');
      expect(output.match(/symbolon: /g)).toHaveLength(1);
      expect(output).not.toMatch(/\n\s+at /);
      expect(output).not.toContain(PLANTED);
    },
  );

  it('ends the start when the port is taken, and says so', async () => {
    const occupant = createServer((socket) => socket.destroy());
    const port = await freePort();
    occupant.listen(port, '127.0.0.1');
    await once(occupant, 'listening');
    try {
      const { message, code } = await failure({ databaseUrl: 'sqlite:data/test.sqlite', port });
      expect(code).toBe('1');
      expect(message).toMatch(/^PORT is in use on HOST; choose another PORT/);
    } finally {
      occupant.close();
    }
  });
});

describe.each(databases)('a setting that does not fit the database, $name,', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    await world.stop();
  });

  it.each([
    ['is missing', 'k2'],
    ['has another value', 'k1'],
  ])('promise 14: the start ends and changes nothing when a key %s that rows are encrypted with', async (_, id) => {
    const tables = ['identity_providers', 'clients', 'client_secrets', 'users', 'applied_declarations', 'signing_keys'];
    const stored = (): Promise<unknown[]> =>
      Promise.all(tables.map((table) => world.database.query(`SELECT * FROM ${table} ORDER BY 1`)));
    const before = await stored();
    const { message, code } = await failure({
      ...world.service.settings,
      port: undefined,
      env: { ...world.service.settings.env, ENCRYPTION_KEYS: encryptionKeys(id) },
    });
    expect(code).toBe('1');
    expect(message).toMatch(
      /^ENCRYPTION_KEYS lacks the key "k1", or has another value for it.* add the right one back/,
    );
    expect(await stored()).toEqual(before);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
