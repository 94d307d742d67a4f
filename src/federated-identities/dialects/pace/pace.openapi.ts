import { applyDecorators } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiExtraModels,
  ApiOAuth2,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { LINK_SCOPE, UNLINK_SCOPE, UPSTREAM_TOKEN_SCOPE } from '../../../config/index.js';
import { FederatedIdentityToken, PaceErrors } from './pace.dto.js';

const requestId = {
  'Request-Id': {
    description: 'An xid; the `id` of errors',
    schema: { type: 'string' as const, pattern: '^[0-9a-v]{20}$' },
  },
};

const id = 'cbgmhslmp1o9or9kh1p0';
const unauthorized = { id, title: 'Unauthorized', status: '401', code: 'unauthorized' };
const missingLinkedIdentity = {
  id,
  title: 'Missing linked identity for authorized access',
  detail:
    'Linked identity is needed to access this resource, please check why the user does not have a linked identity',
  status: '401',
  code: 'missing-linked-identity',
};

const error = (status: number, description: string, examples: Record<string, object>, headers = {}) =>
  ApiResponse({
    status,
    description,
    headers: { ...requestId, ...headers },
    content: {
      'application/vnd.api+json': {
        schema: { $ref: getSchemaPath(PaceErrors) },
        examples: Object.fromEntries(
          Object.entries(examples).map(([name, example]) => [name, { value: { errors: [example] } }]),
        ),
      },
    },
  });

interface Documented {
  summary: string;
  operationId: string;
  description: string;
  scope: string;
  unauthorized: string;
  /** Whether it is refused where no identity is linked. */
  needsLinkedIdentity: boolean;
}

/** What PACE documents alike for all three operations. */
const operation = ({ scope, unauthorized: description, needsLinkedIdentity, ...documented }: Documented) => [
  ApiTags('PACE'),
  ApiExtraModels(PaceErrors),
  ApiOperation(documented),
  ApiOAuth2([scope], 'oauth2'),
  ApiBearerAuth('bearer'),
  ApiParam({
    name: 'version',
    description: 'The version of the API; every version has the same shape.',
    schema: { type: 'string', pattern: '^\\d{4}-\\d$', example: '2024-3' },
  }),
  ApiParam({
    name: 'identityProvider',
    description: 'The identity provider.',
    schema: { type: 'string', example: 'mobypay' },
  }),
  error(
    401,
    description,
    { ...(needsLinkedIdentity && { missingLinkedIdentity }), unauthorized },
    { 'WWW-Authenticate': { description: 'How to authenticate', schema: { type: 'string' } } },
  ),
  error(404, 'Resource not found', { notFound: { id, title: 'Resource not found', status: '404' } }),
  error(
    500,
    'Internal server error',
    {
      failure: { id, title: 'Internal server error', status: '500' },
      providerUnavailable: { id, title: 'Internal server error', status: '500', meta: { retry_after: 5 } },
    },
    {
      'Retry-After': {
        description: 'Seconds after which trying again helps, where it does',
        schema: { type: 'integer' },
      },
    },
  ),
];

const done = (description: string) => ApiResponse({ status: 204, description, headers: requestId });

/** `POST /federated-identities/{identityProvider}/token` as PACE documents it. */
export const FederatedIdentityTokenDocumentation = () =>
  applyDecorators(
    ...operation({
      summary: 'Provide a token for a federated identity provider',
      operationId: 'getFederatedIdentityToken',
      description:
        'Provides a token for the given identity provider, if the user has a valid one. Token grant is a request as per OAuth2 specification',
      scope: UPSTREAM_TOKEN_SCOPE,
      unauthorized:
        'OAuth token missing or invalid or a linked identity is missing. Linked identity missing is a special case where you need to make sure that the user has additionally logged in / authorized with a third-party. This is not relevant for most use-cases. The specific error code that identifies a missing linked identity is `missing-linked-identity`',
      needsLinkedIdentity: true,
    }),
    ApiResponse({ status: 200, description: 'Token granted', type: FederatedIdentityToken, headers: requestId }),
  );

/** `PUT /federated-identities/{identityProvider}` as PACE documents it. */
export const DefineFederatedIdentityDocumentation = () =>
  applyDecorators(
    ...operation({
      summary: 'Define federated identity',
      operationId: 'defineFederatedIdentity',
      description:
        "Makes one of the user's accounts at the identity provider the linked identity there: the one that was connected in the session of this token within the last ten minutes, or else the one with which that session began. Repeating it changes nothing",
      scope: LINK_SCOPE,
      unauthorized:
        'OAuth token missing or invalid, or there is no such account (`missing-linked-identity`; `meta.connect_url` is where the user connects one)',
      needsLinkedIdentity: true,
    }),
    done('Federated identity defined'),
  );

/** `DELETE /federated-identities/{identityProvider}` as PACE documents it. */
export const DeleteFederatedIdentityDocumentation = () =>
  applyDecorators(
    ...operation({
      summary: 'Delete federated identity',
      operationId: 'deleteFederatedIdentity',
      description:
        "Unlinks the user's accounts at the identity provider: their tokens are erased and never come back. Where none is linked nothing is left to do",
      scope: UNLINK_SCOPE,
      unauthorized: 'OAuth token missing or invalid',
      needsLinkedIdentity: false,
    }),
    done('Federated identity deleted'),
  );
