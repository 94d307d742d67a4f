import { describe, expect, it } from 'vitest';
import { DomainError, type ErrorCode, type ErrorMeta } from '../../../src/common/domain-error.js';
import type { RenderedError } from '../../../src/common/http/face.js';
import { raidiamFace } from '../../../src/tokens/dialects/raidiam/raidiam.face.js';

const rendered = (code: ErrorCode, meta: ErrorMeta = {}, path = '/token', authorization?: string): RenderedError =>
  raidiamFace.render(new DomainError(code, { meta, publicDetail: 'What is wrong.' }), {
    path,
    requestId: 'id',
    headers: authorization === undefined ? {} : { authorization },
  });
const BASIC = { 'WWW-Authenticate': 'Basic realm="symbolon", charset="UTF-8"' };
const INVALID_CLIENT = { error: 'invalid_client', error_description: 'What is wrong.' };

describe("errors in Raidiam's words", () => {
  it.each<[number, ErrorCode]>([
    [405, 'request.method-not-allowed'],
    [406, 'request.not-acceptable'],
    [413, 'request.too-large'],
    [429, 'request.rate-limited'],
    [500, 'server.error'],
    [500, 'upstream.misconfigured'],
    [503, 'server.unavailable'],
    [503, 'upstream.unavailable'],
  ])('"406, 429, 500, 502, 504: no body, header only": %i for %s', (status, code) => {
    expect(rendered(code, { retryAfterSeconds: 7 })).toStrictEqual({ status, headers: { 'Retry-After': '7' } });
  });

  it('"404 `{"errors":[string]}`"', () => {
    expect(rendered('request.route-unknown')).toStrictEqual({
      status: 404,
      headers: {},
      body: { errors: ['Not Found'] },
    });
  });

  it.each<[string, RenderedError, string, string?]>([
    ['by the header', { status: 401, headers: BASIC, body: INVALID_CLIENT }, '/token', 'Basic x'],
    ['from the body', { status: 400, headers: {}, body: INVALID_CLIENT }, '/token'],
    ['from the body, at revocation', { status: 400, headers: {}, body: INVALID_CLIENT }, '/revoke'],
    ['"introspection always 401"', { status: 401, headers: BASIC, body: INVALID_CLIENT }, '/token/introspection'],
  ])('invalid_client: %s', (_, answer, path, authorization) => {
    expect(rendered('client.unauthenticated', {}, path, authorization)).toStrictEqual(answer);
  });

  it('"Every 401 has `WWW-Authenticate`"', () => {
    expect(rendered('credentials.missing').headers).toStrictEqual({ 'WWW-Authenticate': 'Bearer realm="symbolon"' });
    expect(rendered('credentials.token-invalid').headers).toStrictEqual({
      'WWW-Authenticate': 'Bearer realm="symbolon", error="invalid_token"',
    });
  });
});
