import 'reflect-metadata';
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { HttpAdapter } from './app.adapter.js';
import { AppModule } from './app.module.js';
import { setUpApp } from './app.setup.js';
import { drainable } from './common/http/drain.js';
import { PinoLogger } from './common/pino-logger.js';
import { DomainError } from './common/domain-error.js';
import { ConfigurationError, loadConfiguration, type Configuration } from './config/index.js';
import { isUnavailable } from './database/index.js';
import { Readiness } from './health/index.js';

/** Above our own limit for tokens, so that it is a face that refuses a token which is too large, in its words. */
const MAX_HEADER_BYTES = 32_768;
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** Above the idle time-out of common gateways, so that they close idle connections, not we under their request. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

async function start(configuration: Configuration): Promise<void> {
  const { HOST: host, PORT: port, LOG_LEVEL: level } = configuration.environment;
  const logger = new PinoLogger(level);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(configuration), new HttpAdapter(), {
    logger,
    bodyParser: false,
    abortOnError: false,
  });
  setUpApp(app);
  const drain = drainable(app.getHttpServer());
  const server: Server = await app.listen(port, host).catch(refuseAddress);
  Object.assign(server, { maxHeaderSize: MAX_HEADER_BYTES });
  // A request that expects what we do not know is a request as any other. @see RFC 9110 section 10.1.1
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  logger.log({ host, port, issuer: configuration.issuer }, 'listening', 'Main');

  const stop = async (signal: string): Promise<void> => {
    logger.log({ signal }, 'draining', 'Main');
    app.get(Readiness).drain();
    await delay(configuration.environment.SHUTDOWN_DELAY_MS);
    await drain();
    await app.close();
    logger.log('stopped', 'Main');
    logger.flush();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop(signal).then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ error }, 'the shutdown failed', 'Main');
          process.exit(1);
        },
      );
    });
  }
}

function refuseAddress(error: unknown): never {
  const { code = '' } = error as { code?: string };
  if (code === 'EADDRINUSE') throw new ConfigurationError('PORT is in use on HOST; choose another PORT (EADDRINUSE)');
  if (code === 'EACCES')
    throw new ConfigurationError('PORT may not be opened by this user; choose one above 1023 (EACCES)');
  if (/^(ENOTFOUND|EAI_|EADDRNOTAVAIL|EINVAL)/.test(code))
    throw new ConfigurationError(`HOST is no address of this machine; 127.0.0.1 or 0.0.0.0 always are (${code})`);
  throw error;
}

/** One message that says what to do; a stack only where the fault is ours. */
function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  if (error instanceof DomainError && error.privateDetail) return `DATABASE_URL: ${error.privateDetail}`;
  const reason = error instanceof DomainError ? error.cause : error;
  const { code, stack, message } = reason as { code?: string; stack?: string; message?: string };
  if (isUnavailable(error) || /^(EEXIST|ENOTDIR|EISDIR|EACCES|EPERM|EROFS|28|3D|SQLITE)/.test(code ?? '')) {
    return `DATABASE_URL: the database cannot be opened (${code ?? message}); check the address, the credentials and that it runs`;
  }
  return stack ?? String(error);
}

try {
  await start(loadConfiguration(process.env));
} catch (error) {
  process.stderr.write(`symbolon: ${explain(error)}\n`);
  process.exit(1);
}
