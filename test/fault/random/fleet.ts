import Libsql from 'libsql';
import { databases } from '../../support/databases.js';
import type { Service } from '../../support/service.js';
import { createWorld, type World, type WorldOptions } from '../../support/world.js';
import { ADMIN_KEY, createCluster, LEASE_MS, TIMEOUT_MS, type Cluster } from '../support/cluster.js';
import { Link } from '../support/link.js';
import { SKEWED_CLOCK } from '../support/skewed-clock.js';
import type { Step } from './plan.js';

const MINUTE_MS = 60_000;

/** The processes that a run is about, and what can be done to them, on either database. */
export interface Fleet {
  world: World;
  replicas: readonly {
    service: () => Service;
    kill(): Promise<void>;
    restart(how: 'stop' | 'kill', env?: Record<string, string>): Promise<void>;
  }[];
  provider: Link;
  /** Takes the database away from the replicas that the step names; answers how to give it back. */
  breakDatabase(step: Step): Promise<() => Promise<void>>;
  heal(): Promise<void>;
  stop(): Promise<void>;
}

const UNLINK_SCOPE = 'user:federated-identity:delete';

function options(graceMs: number) {
  const configure: WorldOptions['configure'] = (configuration) => ({
    ...configuration,
    clients: (configuration['clients'] ?? []).map((client) => {
      const { scope, ...rest } = client as { scope: string };
      return { ...rest, scope: `${scope} ${UNLINK_SCOPE}` };
    }),
  });
  const env = { ACCESS_TOKEN_TTL: '86400', LOG_LEVEL: 'info', ...SKEWED_CLOCK, CLOCK_STEP_MS: String(-60 * MINUTE_MS) };
  return { configure, env, upstream: { graceMs } };
}

/** Three processes on PostgreSQL, with clocks five minutes apart. */
export async function severalOnPostgres({ graceMs }: { graceMs: number }): Promise<Fleet> {
  const cluster: Cluster = await createCluster({
    ...options(graceMs),
    envOf: (replica) => ({ CLOCK_OFFSET_MS: String((1 - replica) * 5 * MINUTE_MS) }),
  });
  return {
    world: cluster,
    replicas: cluster.replicas.map((replica) => ({
      service: () => replica.service,
      kill: () => replica.kill(),
      restart: (how, env) => replica.restart(how, env),
    })),
    provider: cluster.provider,
    breakDatabase: async ({ databaseFault, wide, replica, number }) => {
      if (databaseFault === 'restart') {
        await cluster.restartDatabase(number % 2 === 0 ? 'fast' : 'immediate');
        return () => Promise.resolve();
      }
      const links = cluster.replicas.filter((_, index) => wide || index === replica).map(({ database }) => database);
      for (const link of links) await link[databaseFault]();
      return async () => {
        for (const link of links) await link.pass();
      };
    },
    heal: () => cluster.heal(),
    stop: () => cluster.stop(),
  };
}

/** One process on SQLite, whose file somebody else locks now and then. */
export async function oneOnSqlite({ graceMs }: { graceMs: number }): Promise<Fleet> {
  const kind = databases.find(({ name }) => name === 'sqlite');
  if (!kind) throw new Error('TEST_DATABASES leaves SQLite out');
  const provider = await Link.start();
  const { configure, env, upstream } = options(graceMs);
  const world = await createWorld(kind, {
    configure,
    env: {
      ...env,
      UPSTREAM_TIMEOUT_MS: String(TIMEOUT_MS),
      UPSTREAM_LEASE_MS: String(LEASE_MS),
      ADMIN_API_KEY: ADMIN_KEY,
    },
    upstream: { ...upstream, issuer: provider.url },
  });
  provider.leadTo(world.upstream.port);
  return {
    world,
    replicas: [
      {
        service: () => world.service,
        kill: () => world.service.kill(),
        restart: (how, changes) => world.restart(how, changes),
      },
    ],
    provider,
    breakDatabase: () => Promise.resolve(lock(world.database.url)),
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

/** Nobody else writes until it is given back. */
export function lock(url: string): () => Promise<void> {
  const database = new Libsql(url.slice('sqlite:'.length));
  database.exec('PRAGMA busy_timeout = 5000');
  database.exec('BEGIN EXCLUSIVE');
  return () => {
    database.exec('COMMIT');
    database.close();
    return Promise.resolve();
  };
}
