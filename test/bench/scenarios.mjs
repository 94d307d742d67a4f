// @ts-check
/** What is measured, of us and of the peer alike: the same requests, with the same credentials. */

export const SCOPE = 'bench:read';
/** Of tokens that name it the peer makes JWTs; to us it is a parameter like any other that a grant does not know. */
export const JWT_RESOURCE = 'https://api.bench.example';

/** One for each format, for the format is a property of the client. */
export const CLIENTS = {
  opaque: { client_id: 'bench-opaque', client_secret: 'bench-opaque-secret-0123456789abcdef0123456789' },
  jwt: { client_id: 'bench-jwt', client_secret: 'bench-jwt-secret-0123456789abcdef0123456789abcd' },
};

/** @typedef {{ name: string, tokenPath: string, introspectionPath: string, url: string, jwtParameters: Record<string, string>, stop: () => Promise<void> }} Target */
/** @typedef {{ method: 'POST', path: string, headers: Record<string, string>, body: string }} BenchRequest */
/** @typedef {{ name: string, prepare: (target: Target) => Promise<BenchRequest>, isRight: (answer: Record<string, unknown>) => boolean }} Scenario */

/**
 * @param {keyof typeof CLIENTS} kind
 * @param {string} path
 * @param {Record<string, string>} form
 * @returns {BenchRequest}
 */
function formRequest(kind, path, form) {
  const { client_id: id, client_secret: secret } = CLIENTS[kind];
  return {
    method: 'POST',
    path,
    headers: {
      authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(form).toString(),
  };
}

/**
 * @param {keyof typeof CLIENTS} kind
 * @param {Target} target
 */
function tokenRequest(kind, { tokenPath, jwtParameters }) {
  const form = { grant_type: 'client_credentials', scope: SCOPE, ...(kind === 'jwt' && jwtParameters) };
  return formRequest(kind, tokenPath, form);
}

/**
 * @param {Target} target
 * @param {BenchRequest} request
 * @returns {Promise<Record<string, unknown>>}
 */
export async function send({ url }, { path, ...request }) {
  const answer = await fetch(url + path, request);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** @param {Record<string, unknown>} answer */
const isJwt = ({ access_token: token }) => typeof token === 'string' && token.split('.').length === 3;

/** @type {Scenario[]} */
export const SCENARIOS = [
  {
    name: 'client_credentials, opaque',
    prepare: async (target) => tokenRequest('opaque', target),
    isRight: (answer) => typeof answer['access_token'] === 'string' && !isJwt(answer),
  },
  {
    name: 'client_credentials, ES256',
    prepare: async (target) => tokenRequest('jwt', target),
    isRight: isJwt,
  },
  {
    name: 'introspection, opaque',
    prepare: async (target) => {
      const { access_token: token } = await send(target, tokenRequest('opaque', target));
      return formRequest('opaque', target.introspectionPath, { token: String(token) });
    },
    isRight: ({ active }) => active === true,
  },
];
