import { freePort } from '../../../scripts/free-port.mjs';
import type { UpstreamOptions } from '../../../scripts/upstream-provider.mjs';
import { postgresUnderTest } from '../../support/databases.js';
import { startOwnPostgres } from '../../support/postgres-server.mjs';
import type { BrowserResponse } from '../../support/http-browser.js';
import type { Service } from '../../support/service.js';
import { createWorld, type World, type WorldOptions } from '../../support/world.js';
import { Link } from './link.js';

/** Short enough that a test can wait for what follows; the shortest lease that the service takes beside it. */
export const TIMEOUT_MS = 1_000;
export const LEASE_MS = 6_000;
export const DATABASE_TIMEOUT_MS = 3_000;

export const ADMIN_KEY = 'admin-key-for-the-fault-tests-0123456789';

export interface ClusterOptions {
  /** Default 3. The first is the one behind ISSUER, where people sign in. */
  replicas?: number;
  upstream?: Omit<UpstreamOptions, 'clients' | 'issuer' | 'port'>;
  /** Of every replica, beside short time-outs and an admin key. */
  env?: Record<string, string>;
  /** Of one replica, counted from 0: to have its clock differ, for instance. */
  envOf?: (replica: number) => Record<string, string>;
  configure?: WorldOptions['configure'];
}

/** One of several service processes, or the place where it was: it comes back at the same address. */
export interface Replica {
  readonly url: string;
  readonly service: Service;
  /** Between this process and PostgreSQL, and nobody else's. */
  readonly database: Link;
  readonly alive: boolean;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Ends it, if it still lives, and starts it again, if need be with something changed. */
  restart(how?: 'stop' | 'kill', env?: Record<string, string>): Promise<void>;
}

/**
 * A world of several service processes with one ISSUER, a PostgreSQL of its own and an OpenID provider, with a wire before
 * each that can be cut. Everything that works on a `World` (test/support/vault.ts, journeys.ts) works on a cluster;
 * what the tests themselves ask the database (`database.query`) goes past the links.
 */
export interface Cluster extends World {
  readonly replicas: readonly Replica[];
  /** Between all of us, replicas and browsers, and the provider: the issuer's address is its own. */
  readonly provider: Link;
  /** One more process with a link of its own, to be killed for instance. */
  addReplica(env?: Record<string, string>): Promise<Replica>;
  /** As an administrator, at any replica; answers with what was said, which has to be a success. */
  administer(
    method: string,
    path: string,
    options?: { json?: unknown; at?: Pick<Replica, 'url'> },
  ): Promise<BrowserResponse>;
  /** PostgreSQL, on the same port and data. Its connections end, also those behind links. */
  restartDatabase(how: 'fast' | 'immediate'): Promise<void>;
  /** Lets everything pass again: all links, and what the provider holds. */
  heal(): Promise<void>;
}

export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const postgres = await startOwnPostgres();
  const databasePort = Number(new URL(postgres.url).port);
  const provider = await Link.start();
  const firstLink = await Link.start(databasePort);
  const links = [firstLink];
  const env = {
    UPSTREAM_TIMEOUT_MS: String(TIMEOUT_MS),
    UPSTREAM_LEASE_MS: String(LEASE_MS),
    DATABASE_TIMEOUT_MS: String(DATABASE_TIMEOUT_MS),
    ADMIN_API_KEY: ADMIN_KEY,
    ...options.env,
  };
  const envOf = (index: number): Record<string, string> => ({ ...env, ...options.envOf?.(index) });
  const world = await createWorld(
    { name: 'postgres', create: () => Promise.resolve(postgresUnderTest(postgres.url, postgres.stop)) },
    {
      env: envOf(0),
      upstream: { ...options.upstream, issuer: provider.url },
      databaseUrl: firstLink.through(postgres.url),
      ...(options.configure && { configure: options.configure }),
    },
  );
  provider.leadTo(world.upstream.port);
  const administrator = world.browser();

  const place = (database: Link, process: Pick<Replica, 'service' | 'restart'>): Replica => {
    let alive = true;
    const replica: Replica = {
      get url() {
        return process.service.url;
      },
      get service() {
        return process.service;
      },
      get alive() {
        return alive;
      },
      database,
      kill: async () => {
        alive = false;
        await process.service.kill();
      },
      restart: async (how, changes) => {
        alive = false;
        await process.restart(how, changes);
        alive = true;
      },
    };
    replicas.push(replica);
    return replica;
  };
  const replicas: Replica[] = [];
  place(firstLink, world);

  const addReplica = async (changes: Record<string, string> = {}): Promise<Replica> => {
    const database = await Link.start(databasePort);
    links.push(database);
    const settings = {
      port: await freePort(),
      databaseUrl: database.through(postgres.url),
      env: { ...envOf(replicas.length), ...changes },
    };
    let service = await world.startReplica(settings);
    return place(database, {
      get service() {
        return service;
      },
      restart: async (how = 'stop', more = {}) => {
        await service[how]();
        settings.env = { ...settings.env, ...more };
        service = await world.startReplica(settings);
      },
    });
  };
  for (let index = 1; index < (options.replicas ?? 3); index += 1) await addReplica();

  return {
    ...world,
    get service() {
      return world.service;
    },
    replicas,
    provider,
    addReplica,
    administer: async (method, path, { json, at = world.service } = {}) => {
      const headers = { authorization: `Bearer ${ADMIN_KEY}` };
      const answer = await administrator.request(`${at.url}/admin${path}`, { method, json, headers });
      if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text()}`);
      return answer;
    },
    restartDatabase: (how) => postgres.restart(how),
    heal: async () => {
      world.upstream.release();
      for (const link of [provider, ...links]) await link.pass();
    },
    stop: async () => {
      world.upstream.release();
      await world.stop();
      for (const link of [provider, ...links]) await link.cut();
    },
  };
}
