import type { DataSource } from 'typeorm';
import { openDataSource } from '../../../ormconfig.js';
import { Clock } from '../../../src/common/clock.js';
import { SystemRandomness } from '../../../src/common/random.js';
import { Configuration } from '../../../src/config/index.js';
import { parseDeclarations } from '../../../src/config/config-file.js';
import { readEnvironment } from '../../../src/config/environment.js';
import { ExpiredRows, migrate, UnitOfWork } from '../../../src/database/index.js';
import { EncryptedTables, Envelopes } from '../../../src/encryption/index.js';
import type { DatabaseKind, DatabaseUnderTest } from '../../support/databases.js';
import { encryptionKeys } from '../../support/service.js';

/** Time that moves when the test says so. */
export class TestClock extends Clock {
  #nowMs = Date.UTC(2026, 0, 1);

  now(): number {
    return this.#nowMs;
  }

  advance(milliseconds: number): void {
    this.#nowMs += milliseconds;
  }
}

interface Settings {
  keys?: string;
  declared?: unknown;
  environment?: Partial<Configuration['environment']>;
}

/** What one process of the service has of a database: everything that a repository is built from. */
export class Replica {
  readonly unitOfWork: UnitOfWork;
  readonly randomness = new SystemRandomness();
  readonly envelopes: Envelopes;
  readonly encryptedTables: EncryptedTables;
  readonly expiredRows: ExpiredRows;

  constructor(
    readonly dataSource: DataSource,
    readonly clock: TestClock,
    readonly configuration: Configuration,
  ) {
    this.unitOfWork = new UnitOfWork(dataSource);
    this.envelopes = new Envelopes(configuration.environment.ENCRYPTION_KEYS, this.randomness);
    this.encryptedTables = new EncryptedTables(this.unitOfWork, this.envelopes);
    this.expiredRows = new ExpiredRows(this.unitOfWork, clock);
  }

  /** The same process after a restart with other settings. */
  configured({ keys, declared = {}, environment = {} }: Settings): Replica {
    const read = keys === undefined ? this.configuration.environment : environmentWith(keys);
    return new Replica(
      this.dataSource,
      this.clock,
      new Configuration({ ...read, DOCS: 'off', ...environment }, parseDeclarations(declared)),
    );
  }
}

/** A migrated database of its own and the replicas of the service on it. */
export interface Storage {
  database: DatabaseUnderTest;
  clock: TestClock;
  first: Replica;
  /** Another process on PostgreSQL, the same one on SQLite, which never has two. */
  second: Replica;
  close: () => Promise<void>;
}

export async function openStorage(
  { name, create }: DatabaseKind,
  keys = encryptionKeys(),
  prepare: (database: DatabaseUnderTest) => Promise<void> = () => Promise.resolve(),
): Promise<Storage> {
  const database = await create();
  await prepare(database);
  const clock = new TestClock();
  const configuration = new Configuration(environmentWith(keys), parseDeclarations({}));
  const opened: DataSource[] = [];
  const replica = async (): Promise<Replica> => {
    const dataSource = await openDataSource(database.url).initialize();
    opened.push(dataSource);
    await migrate(dataSource);
    return new Replica(dataSource, clock, configuration);
  };
  const first = await replica();
  return {
    database,
    clock,
    first,
    second: name === 'postgres' ? await replica() : first,
    close: async () => {
      for (const dataSource of opened) await dataSource.destroy();
      await database.cleanup();
    },
  };
}

/**
 * Until some transaction waits for another, on PostgreSQL, or `work`, which was to wait, is done. On SQLite they queue.
 */
export async function waitingForALock({ database }: Storage, work: Promise<unknown>): Promise<void> {
  if (database.url.startsWith('sqlite:')) return;
  const finished = work.then(() => true);
  const waits = async (): Promise<boolean> => {
    const query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    return (await database.query(query)).length > 0;
  };
  const deadline = Date.now() + 10_000;
  while (!(await Promise.race([finished, waits()]))) {
    if (Date.now() > deadline) throw new Error('nothing waits for a lock');
  }
}

function environmentWith(keys: string): Configuration['environment'] {
  return readEnvironment({ ENCRYPTION_KEYS: keys });
}

/** Runs `action` in fifty callers at once, who take turns on the replicas; answers what each got. */
export function fiftyTimes<Result>(
  replicas: readonly [Replica, Replica],
  action: (replica: Replica, index: number) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(Array.from({ length: 50 }, (_, index) => action(replicas[index % 2] ?? replicas[0], index)));
}
