import Libsql from 'libsql';
import { databases } from '../../support/databases.js';
import { createWorld, type World, type WorldOptions } from '../../support/world.js';
import { ADMIN_KEY, LEASE_MS, TIMEOUT_MS } from './cluster.js';
import { Link } from './link.js';

/** A world of one process on SQLite, with a wire between it and the provider. It can be killed and restarted: `restart()`. */
export interface Single extends World {
  readonly provider: Link;
  /** Another process, such as a backup, keeps the file locked; answers how it lets go. */
  lockDatabase(): () => void;
  /** Lets everything pass again: the wire, and what the provider holds. */
  heal(): Promise<void>;
}

export async function createSingle(
  options: Pick<WorldOptions, 'configure' | 'env' | 'upstream'> = {},
): Promise<Single> {
  const kind = databases.find(({ name }) => name === 'sqlite');
  if (!kind) throw new Error('TEST_DATABASES leaves SQLite out');
  const provider = await Link.start();
  const world = await createWorld(kind, {
    ...options,
    env: {
      UPSTREAM_TIMEOUT_MS: String(TIMEOUT_MS),
      UPSTREAM_LEASE_MS: String(LEASE_MS),
      ADMIN_API_KEY: ADMIN_KEY,
      ...options.env,
    },
    upstream: { ...options.upstream, issuer: provider.url },
  });
  provider.leadTo(world.upstream.port);
  return {
    ...world,
    get service() {
      return world.service;
    },
    provider,
    lockDatabase: () => {
      const database = new Libsql(world.database.url.slice('sqlite:'.length));
      database.exec('PRAGMA busy_timeout = 5000');
      database.exec('BEGIN EXCLUSIVE');
      return () => {
        database.exec('COMMIT');
        database.close();
      };
    },
    heal: async () => {
      world.upstream.release();
      await provider.pass();
    },
    stop: async () => {
      world.upstream.release();
      await world.stop();
      await provider.cut();
    },
  };
}
