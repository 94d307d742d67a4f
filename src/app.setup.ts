import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { setUpDocs } from './app.docs.js';
import { readBody } from './common/http/body.js';
import { refuseTwoAuthorizations } from './common/http/one-authorization.js';
import { ErrorFilter } from './common/http/error.filter.js';
import { Faces } from './common/http/face.js';
import { requestContext } from './common/request-context.js';
import { requestId } from './common/request-id.js';
import { Configuration } from './config/index.js';
import { HttpRequests } from './metrics/index.js';

const AUTHORIZATION_SERVER_METADATA = '/.well-known/oauth-authorization-server';

/**
 * Everything between a bare Nest application and the service: used by main, the OpenAPI generator and the tests, so
 * that what is tested is what runs. The application is created with `bodyParser: false`.
 */
export function setUpApp(app: NestExpressApplication): NestExpressApplication {
  const configuration = app.get(Configuration);
  const { TRUST_PROXY: proxies, DOCS: docs } = configuration.environment;
  app.set('trust proxy', proxies.length > 0 ? proxies : false);
  // One spelling of a path: the faces, the guards and the log must mean the same one as the router. Nest has made it by
  // now, so the setting of Express would come too late.
  Object.assign(app.getHttpAdapter().getInstance().router, { caseSensitive: true });
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.disable('x-powered-by');
  app.use(withoutIssuerPath(configuration));
  app.use(app.get(HttpRequests).measure);
  app.use(requestPipeline());
  app.use(faceHeaders(app.get(Faces)));
  app.use(crossOrigin(app.get(Faces)));
  app.use(refuseTwoAuthorizations);
  app.use(readBody);
  app.useGlobalFilters(new ErrorFilter(app.get(Faces)));
  if (docs === 'on') setUpDocs(app);
  return app;
}

/** Routes answer with and without the issuer's path: a gateway may or may not strip it. @see RFC 8414 section 3.1 */
function withoutIssuerPath({ issuerPath }: Configuration) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const metadata = AUTHORIZATION_SERVER_METADATA + issuerPath;
    if (issuerPath !== '' && request.path === metadata) {
      request.url = AUTHORIZATION_SERVER_METADATA;
    } else if (issuerPath !== '' && (request.path === issuerPath || request.path.startsWith(`${issuerPath}/`))) {
      const rest = request.url.slice(issuerPath.length);
      request.url = rest.startsWith('/') ? rest : `/${rest}`;
    }
    next();
  };
}

/** The request's id, its line in the log, and the headers that every answer has. */
function requestPipeline() {
  const logger = new Logger('Request');
  return (request: Request, response: Response, next: NextFunction): void => {
    const id = requestId(request.header('request-id'));
    response.setHeader('Request-Id', id);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const context = { requestId: id, address: request.ip };
    const startedAt = performance.now();
    response.once('close', () =>
      requestContext.run(context, () => {
        const durationMs = Math.round(performance.now() - startedAt);
        // The path only: queries carry codes, states and tickets.
        logger.log(
          { method: request.method, path: request.path, status: response.statusCode, durationMs, address: request.ip },
          'request',
        );
      }),
    );
    requestContext.run(context, next);
  };
}

function faceHeaders(faces: Faces) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const { path, headers } = request;
    response.set(
      faces.find(path).headers?.({ path, headers, requestId: requestContext.getStore()?.requestId ?? '' }) ?? {},
    );
    next();
  };
}

/** Scripts of other origins may ask where the face says so, and never with cookies. */
function crossOrigin(faces: Faces) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (!faces.allowsAnyOrigin(request.path)) {
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader(
      'Access-Control-Expose-Headers',
      'DPoP-Nonce, Retry-After, WWW-Authenticate, x-fapi-interaction-id',
    );
    const preflight = request.method === 'OPTIONS' && request.header('access-control-request-method') !== undefined;
    if (!preflight) {
      next();
      return;
    }
    response
      .status(204)
      .set('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE')
      .set('Access-Control-Allow-Headers', request.header('access-control-request-headers') ?? '*')
      .set('Access-Control-Max-Age', '600')
      .end();
  };
}
