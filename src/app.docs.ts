import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { DOCUMENTATION_REDIRECT_PATH } from './clients/index.js';
import { VERSION } from './common/version.js';
import { Configuration, DOCUMENTATION_CLIENT_ID, STANDARD_SCOPES, UPSTREAM_TOKEN_SCOPE } from './config/index.js';

/** The faces that have a document of their own, by the tag of their operations. */
export const DOCUMENTED_FACES = {
  pace: 'PACE',
  onezone: 'Onezone',
  raidiam: 'Raidiam',
  slashid: 'SlashID',
  admin: 'Admin',
} as const;

/** What Authorize asks for unless the person chooses otherwise; an operator who declares the client has to allow it these. */
const PRESELECTED_SCOPES = ['openid', 'profile', 'email', UPSTREAM_TOKEN_SCOPE];

const DESCRIPTION = `Upstream access tokens for your users, kept fresh; over one token engine and one vault.

Press **Authorize** and sign in: the public client \`${DOCUMENTATION_CLIENT_ID}\` uses the authorization code flow with PKCE. To read upstream tokens here, the operator lists the providers in that client's \`upstream_providers\`.`;

/** The whole API, as it runs. */
export function createDocument(app: NestExpressApplication): OpenAPIObject {
  const configuration = app.get(Configuration);
  const builder = new DocumentBuilder()
    .setTitle('Symbolon')
    .setDescription(DESCRIPTION)
    .setVersion(VERSION)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer(configuration.issuerPath === '' ? '/' : configuration.issuerPath)
    .addTag('PACE', 'PACE Cloud User API: the token of a federated identity')
    .addTag('Onezone', 'Onedata Onezone: the access token of an IdP, refreshed offline')
    .addTag('Raidiam', 'Raidiam Connect: the standard OAuth 2 and OpenID Connect face')
    .addTag('SlashID', 'SlashID: tokens and the clients that may ask for them')
    .addTag('Admin', 'Administration: identity providers, users and the audit log')
    .addTag('Health', 'Probes')
    .addOAuth2(
      {
        type: 'oauth2',
        description: 'Sign in with the authorization code flow and PKCE',
        flows: {
          authorizationCode: {
            authorizationUrl: configuration.url('/auth'),
            tokenUrl: configuration.url('/token'),
            scopes: { ...STANDARD_SCOPES },
          },
        },
      },
      'oauth2',
    )
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token of this service' },
      'bearer',
    )
    .addApiKey(
      { type: 'apiKey', in: 'header', name: 'X-Auth-Token', description: 'Onezone: an access token' },
      'x-auth-token',
    )
    .addApiKey({ type: 'apiKey', in: 'header', name: 'Macaroon', description: 'Onezone: an access token' }, 'macaroon')
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'Onezone: user name and password' }, 'user')
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'client_id and client_secret, form-encoded' }, 'client')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'Admin: the ADMIN_API_KEY' }, 'admin-key')
    .addApiKey(
      { type: 'apiKey', in: 'header', name: 'SlashID-API-Key', description: 'Admin: the ADMIN_API_KEY' },
      'SlashID-API-Key',
    )
    // An operation that says nothing needs no credentials: probes, discovery and keys.
    .addSecurityRequirements({})
    .build();
  return separateAddresses(SwaggerModule.createDocument(app, builder, { autoTagControllers: false }));
}

interface Operation {
  tags?: string[];
  operationId?: string;
  parameters?: { in: string; name: string }[];
  security?: object[];
}

const operationsOf = (methods: object): Operation[] => Object.values(methods as Record<string, Operation>);

/** A route with two addresses is two operations, and each has to have an id of its own. */
const SECOND_ADDRESSES: Record<string, (operationId: string) => string> = {
  '/federated-identities/{identityProvider}': withoutVersion,
  '/federated-identities/{identityProvider}/token': withoutVersion,
  '/.well-known/oauth-authorization-server': () => 'getAuthorizationServerMetadata',
  '/.well-known/jwks.json': () => 'getWellKnownJwks',
};

function withoutVersion(operationId: string): string {
  return `${operationId}WithoutVersion`;
}

/** Nest documents all addresses of a route alike: ids are made unique, and each address gets the parameters it has. */
function separateAddresses(document: OpenAPIObject): OpenAPIObject {
  for (const [path, methods] of Object.entries(document.paths)) {
    const position = (name: string): number => path.indexOf(`{${name}}`);
    for (const operation of operationsOf(methods)) {
      const { operationId = '' } = operation;
      operation.operationId = SECOND_ADDRESSES[path]?.(operationId) ?? operationId;
      operation.parameters = (operation.parameters ?? [])
        .filter((parameter) => parameter.in !== 'path' || position(parameter.name) >= 0)
        .toSorted((one, other) => position(one.name) - position(other.name));
    }
  }
  return document;
}

/** The part of the document that is one face's, with what it needs and nothing else. */
export function documentOf(face: keyof typeof DOCUMENTED_FACES, whole: OpenAPIObject): OpenAPIObject {
  const tag = DOCUMENTED_FACES[face];
  const paths = Object.fromEntries(
    Object.entries(whole.paths).flatMap(([path, methods]) => {
      const own = Object.entries(methods as Record<string, Operation>).filter(([, operation]) =>
        operation.tags?.includes(tag),
      );
      return own.length === 0 ? [] : [[path, Object.fromEntries(own)]];
    }),
  ) as OpenAPIObject['paths'];
  const required = new Set(
    Object.values(paths)
      .flatMap(operationsOf)
      .flatMap(({ security = [] }) => security.flatMap((schemes) => Object.keys(schemes))),
  );
  const schemas = reachableSchemas(paths, whole.components?.schemas ?? {});
  const securitySchemes = Object.fromEntries(
    Object.entries(whole.components?.securitySchemes ?? {}).filter(([name]) => required.has(name)),
  );
  return {
    ...whole,
    info: { ...whole.info, title: `Symbolon: ${tag}` },
    tags: (whole.tags ?? []).filter(({ name }) => name === tag),
    paths,
    components: { schemas, securitySchemes },
  };
}

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

function reachableSchemas(root: unknown, schemas: Schemas): Schemas {
  const found: Schemas = {};
  const visit = (node: unknown): void => {
    for (const [, name = ''] of JSON.stringify(node).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      const schema = schemas[name];
      if (!schema || found[name]) continue;
      found[name] = schema;
      visit(schema);
    }
  };
  visit(root);
  return found;
}

/** Swagger UI at /docs, the documents beside it: made when somebody asks for one, for a replica has to be there soon. */
export function setUpDocs(app: NestExpressApplication): void {
  const configuration = app.get(Configuration);
  let made: OpenAPIObject | undefined;
  const document = (): OpenAPIObject => (made ??= createDocument(app));
  app.use('/docs', pageSecurity(configuration));
  serve(app, DIALOG_SCRIPT_PATH, 'text/javascript', () => DIALOG_SCRIPT);
  SwaggerModule.setup('docs', app, document, {
    customSiteTitle: 'Symbolon API',
    customCss: '.swagger-ui .topbar { display: none }',
    customJs: configuration.issuerPath + DIALOG_SCRIPT_PATH,
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    swaggerOptions: {
      oauth2RedirectUrl: configuration.url(DOCUMENTATION_REDIRECT_PATH),
      initOAuth: {
        clientId: DOCUMENTATION_CLIENT_ID,
        usePkceWithAuthorizationCodeGrant: true,
        scopes: [...PRESELECTED_SCOPES],
      },
      withCredentials: false,
      defaultModelsExpandDepth: 0,
    },
  });
  for (const face of Object.keys(DOCUMENTED_FACES) as (keyof typeof DOCUMENTED_FACES)[]) {
    serve(app, `/openapi/${face}.json`, 'application/json', () => JSON.stringify(documentOf(face, document())));
  }
}

function serve(app: NestExpressApplication, path: string, type: string, text: () => string): void {
  const send: RequestHandler = (_request, response) => {
    response.type(type).send(text());
  };
  app.getHttpAdapter().getInstance().get(path, send);
}

const DIALOG_SCRIPT_PATH = '/docs/dialog.js';
/** Swagger UI opens the Authorize dialog at its last entry, which it focuses; the first is the one that people want. */
const DIALOG_SCRIPT = `let seen;
new MutationObserver(() => {
  const content = document.querySelector('.modal-ux-content');
  if (content && content !== seen) {
    document.activeElement?.blur();
    content.scrollTop = 0;
  }
  seen = content;
}).observe(document.documentElement, { childList: true, subtree: true });
`;

/** Swagger UI styles itself inline; no script is inline, and nothing comes from elsewhere. */
function pageSecurity({ issuer }: Configuration) {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' ${new URL(issuer).origin}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
  return (_request: Request, response: Response, next: NextFunction): void => {
    response.set({ 'Content-Security-Policy': policy, 'X-Frame-Options': 'DENY', 'Referrer-Policy': 'no-referrer' });
    next();
  };
}
