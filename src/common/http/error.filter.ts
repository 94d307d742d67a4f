import { Catch, HttpException, Inject, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DomainError, invalidParameter } from '../domain-error.js';
import { requestContext } from '../request-context.js';
import { allowedMethods } from './allowed-methods.js';
import { Faces } from './face.js';

/**
 * The one place where an error becomes an answer. It is global because a filter on a controller never sees a
 * malformed or oversized body, a wrong method or an unknown route; the face is found by the path.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger = new Logger('ErrorFilter');

  constructor(@Inject(Faces) private readonly faces: Faces) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = toDomainError(thrown, request);
    const rendered = this.faces.find(request.path).render(error, {
      requestId: requestContext.getStore()?.requestId ?? '',
      path: request.path,
      headers: request.headers,
    });
    this.#log(error, rendered.status);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.status(rendered.status).setHeader('Cache-Control', 'no-store');
    if (error.meta.allow) response.setHeader('Allow', error.meta.allow.join(', '));
    for (const [name, value] of Object.entries(rendered.headers ?? {})) response.setHeader(name, value);
    if (rendered.contentType !== undefined) response.setHeader('Content-Type', rendered.contentType);
    if (rendered.body === undefined) {
      response.removeHeader('Content-Type');
      response.end();
      return;
    }
    if (rendered.contentType === undefined) response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.end(typeof rendered.body === 'string' ? rendered.body : JSON.stringify(rendered.body));
  }

  #log({ code, privateDetail, cause }: DomainError, status: number): void {
    const own = code === 'server.error' || code === 'server.unavailable';
    const level = own ? 'error' : code.startsWith('upstream.') ? 'warn' : privateDetail === undefined ? 'debug' : 'log';
    // Only our own failures need the whole error; anything else was caused by what somebody sent, whose text is not ours to log.
    this.#logger[level]({ code, status, detail: privateDetail, ...(own && { error: cause }) }, 'request refused');
  }
}

function toDomainError(thrown: unknown, request: Request): DomainError {
  if (thrown instanceof DomainError) return thrown;
  if (thrown instanceof HttpException) {
    const { cause } = thrown;
    if (cause instanceof URIError) return invalidParameter('path', 'is not valid percent-encoded UTF-8');
    if (thrown.getStatus() === 404) return routeError(request);
    if (thrown.getStatus() === 400)
      return new DomainError('request.malformed', { publicDetail: 'The request could not be understood.' });
    if (thrown.getStatus() === 413) return new DomainError('request.too-large');
    if (thrown.getStatus() === 415) return new DomainError('request.unsupported-media-type');
  }
  if (hasCode(thrown, NUL_CHARACTER))
    return new DomainError('request.malformed', { publicDetail: 'The request holds a NUL character.' });
  return new DomainError('server.error', { cause: thrown });
}

function routeError(request: Request): DomainError {
  const allow = allowedMethods(request);
  return allow.length > 0
    ? new DomainError('request.method-not-allowed', { meta: { allow } })
    : new DomainError('request.route-unknown');
}

/** PostgreSQL stores none; whoever sends one asks for something that cannot exist. */
const NUL_CHARACTER = new Set(['22021']);

function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  const { code, driverError } = (error ?? {}) as { code?: string; driverError?: { code?: string } };
  return codes.has(code ?? '') || codes.has(driverError?.code ?? '');
}
