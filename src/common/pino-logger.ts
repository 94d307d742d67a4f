import type { LoggerService } from '@nestjs/common';
import { pino, type Logger, type DestinationStream } from 'pino';
import { requestContext } from './request-context.js';

/** Never the whole error: a database error carries the statement's parameters, an HTTP error what was sent. */
function serialize(error: unknown): object {
  if (!(error instanceof Error)) return { message: typeof error === 'string' ? error : typeof error };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: serialize(error.cause) }),
  };
}

/** Structured logs, one JSON object a line, each with the id of the request it belongs to. */
export class PinoLogger implements LoggerService {
  readonly #pino: Logger;

  constructor(level: string, destination?: DestinationStream) {
    this.#pino = pino(
      {
        level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: serialize, err: serialize },
        mixin: () => {
          const context = requestContext.getStore();
          return context ? { requestId: context.requestId } : {};
        },
      },
      destination ?? pino.destination({ fd: 1, sync: false }),
    );
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#write('info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  flush(): void {
    this.#pino.flush();
  }

  /** Nest calls with the text first; our own code with an object first and the text second. The context is last. */
  #write(level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', first: unknown, rest: unknown[]): void {
    const context = rest.length > 0 && typeof rest.at(-1) === 'string' ? (rest.at(-1) as string) : undefined;
    const between = context === undefined ? rest : rest.slice(0, -1);
    const fields = {
      ...(context !== undefined && { context }),
      ...(first instanceof Error ? { error: first } : typeof first === 'object' ? first : {}),
    };
    const text = typeof first === 'string' ? first : between.find((part) => typeof part === 'string');
    this.#pino[level](fields, typeof text === 'string' ? text : undefined);
  }
}
