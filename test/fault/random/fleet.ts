import type { Service } from '../../support/service.js';
import type { World, WorldOptions } from '../../support/world.js';
import { createCluster, type Cluster } from '../support/cluster.js';
import type { Link } from '../support/link.js';
import { createSingle } from '../support/single.js';
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

/** What is slow on a machine that does much else is not to look like a fault. */
const PATIENT = { UPSTREAM_TIMEOUT_MS: '3000', UPSTREAM_LEASE_MS: '8000' };
const UNLINK_SCOPE = 'user:federated-identity:delete';

const configure: NonNullable<WorldOptions['configure']> = (configuration) => ({
  ...configuration,
  clients: (configuration['clients'] ?? []).map((client) => {
    const { scope, ...rest } = client as { scope: string };
    return { ...rest, scope: `${scope} ${UNLINK_SCOPE}` };
  }),
});

function options(graceMs: number) {
  const env = {
    ...PATIENT,
    ACCESS_TOKEN_TTL: '86400',
    LOG_LEVEL: 'info',
    ...SKEWED_CLOCK,
    CLOCK_STEP_MS: String(-60 * MINUTE_MS),
  };
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
  const single = await createSingle(options(graceMs));
  return {
    world: single,
    replicas: [
      {
        service: () => single.service,
        kill: () => single.service.kill(),
        restart: (how, env) => single.restart(how, env),
      },
    ],
    provider: single.provider,
    breakDatabase: () => {
      const unlock = single.lockDatabase();
      return Promise.resolve(() => Promise.resolve(unlock()));
    },
    heal: () => single.heal(),
    stop: () => single.stop(),
  };
}
