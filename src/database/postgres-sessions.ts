import { Logger } from '@nestjs/common';
import type { DataSource, DataSourceOptions, ReplicationMode } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';
import { isUnavailable, unavailable } from './unavailable.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** By what we wait longer for an answer than the server works on it: so long it may be on its way. */
const ROUND_TRIP_MS = 1_000;
const KEEP_ALIVE_DELAY_MS = 10_000;
/** A session whose client's machine is gone ends, with its transaction and its locks, after a minute rather than two hours. */
const SERVER_KEEP_ALIVE =
  '-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 -c tcp_user_timeout=60000';

export interface PoolUsage {
  /** Connections that are open or being opened. */
  total: number;
  idle: number;
  /** Callers that wait for a connection. */
  waiting: number;
  maximum: number;
}

/**
 * How connections to PostgreSQL are made and bounded.
 * @param timeoutMs for one statement; undefined where it may take as long as it takes
 */
export function sessionOptions(poolSize: number, timeoutMs: number | undefined) {
  const logger = new Logger('Database');
  return {
    poolSize,
    connectTimeoutMS: Math.min(CONNECT_TIMEOUT_MS, timeoutMs ?? CONNECT_TIMEOUT_MS),
    // Idle connections break without anybody asking; without a listener that would end the process.
    poolErrorHandler: ({ message }: Error) => logger.warn({ reason: message }, 'an idle connection was lost'),
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
      options: SERVER_KEEP_ALIVE,
      ...(timeoutMs !== undefined && {
        statement_timeout: timeoutMs,
        idle_in_transaction_session_timeout: timeoutMs,
        query_timeout: timeoutMs + ROUND_TRIP_MS,
      }),
    },
  } satisfies Partial<DataSourceOptions & { type: 'postgres' }>;
}

/**
 * Never gives a connection back to the pool that may still be at something: the driver's time-out only stops waiting, so
 * the next caller would get a connection on which nothing is answered any more, or an answer that is not theirs. After a
 * failure of the connection it is closed at once, and with it ends its transaction; what is asked of it then fails at once.
 */
class SessionQueryRunner extends PostgresQueryRunner {
  #givenBack = false;

  override async connect(): Promise<unknown> {
    try {
      return (await super.connect()) as unknown;
    } catch (error) {
      throw unavailable(error);
    }
  }

  override async query(query: string, parameters?: unknown[], structured?: boolean): Promise<unknown> {
    if (this.isReleased && !this.#givenBack) throw unavailable(new Error('the connection was lost before'));
    try {
      return (await super.query(query, parameters, structured)) as unknown;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      await this.#close(error);
      throw error instanceof Error && error.name === 'DomainError' ? error : unavailable(error);
    }
  }

  override async release(): Promise<void> {
    this.#givenBack = true;
    if (this.isTransactionActive) await this.#close(new Error('the transaction could not be ended'));
    else await super.release();
  }

  async #close(reason: unknown): Promise<void> {
    const release = this.releaseCallback;
    if (release) this.releaseCallback = () => release(reason);
    await super.release();
  }
}

export function boundSessions(dataSource: DataSource): DataSource {
  const driver = dataSource.driver as PostgresDriver;
  driver.createQueryRunner = (mode: ReplicationMode) => new SessionQueryRunner(driver, mode);
  return dataSource;
}

interface Pool {
  totalCount: number;
  idleCount: number;
  waitingCount: number;
  options: { max: number };
}

export function poolUsage(dataSource: DataSource): PoolUsage {
  const { totalCount, idleCount, waitingCount, options } = (dataSource.driver as PostgresDriver).master as Pool;
  return { total: totalCount, idle: idleCount, waiting: waitingCount, maximum: options.max };
}
