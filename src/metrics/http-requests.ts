import { performance } from 'node:perf_hooks';
import { Inject, Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { Gauge, Histogram } from 'prom-client';
import { Metrics } from './metrics.js';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Requests by route. A path never becomes a label: anybody can ask for any, and some hold names of users. */
@Injectable()
export class HttpRequests {
  readonly #durations: Histogram<'method' | 'route' | 'status'>;
  readonly #inFlight: Gauge;

  constructor(@Inject(Metrics) { registry }: Metrics) {
    this.#durations = new Histogram({
      name: 'symbolon_http_request_duration_seconds',
      help: 'Time to answer requests, by the pattern of their route',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers: [registry],
    });
    this.#inFlight = new Gauge({
      name: 'symbolon_http_requests_in_flight',
      help: 'Requests that are being answered',
      registers: [registry],
    });
  }

  /** Express middleware: measures from here until the connection is done with the request. */
  readonly measure = (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = performance.now();
    this.#inFlight.inc();
    response.once('close', () => {
      this.#inFlight.dec();
      this.#durations.observe(
        { method: methodOf(request), route: routeOf(request), status: statusOf(response) },
        (performance.now() - startedAt) / 1000,
      );
    });
    next();
  };
}

function methodOf({ method }: Request): string {
  return METHODS.has(method) ? method : 'other';
}

/** The router leaves behind which of its routes it took; there is none where it knew no answer, or never got the request. */
function routeOf(request: Request): string {
  const { path } = (request.route ?? {}) as { path?: unknown };
  return typeof path === 'string' ? path : 'unmatched';
}

/** Whoever hung up was not told a status. */
function statusOf(response: Response): string {
  return response.writableFinished ? String(response.statusCode) : 'aborted';
}
