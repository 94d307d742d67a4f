import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { SignJWT, exportJWK, generateKeyPair, importJWK } from 'jose';
import { bufferRequest } from './upstream/buffered-request.mjs';
import { createGate } from './upstream/gate.mjs';
import { answerInteraction, page } from './upstream/interaction.mjs';
import { createMemoryStore } from './upstream/memory-store.mjs';
import { quietly } from './upstream/quietly.mjs';
import { createSecretRecorder } from './upstream/secrets.mjs';

const HOST = '127.0.0.1';
const DAY_SECONDS = 24 * 3600;
const SCOPES = ['openid', 'offline_access', 'profile', 'email', 'groups'];

const defaultUsers = {
  alice: { name: 'Alice Archer', groups: ['admins', 'developers'] },
  bob: { name: 'Bob Baker', email_verified: false },
  carol: { name: 'Carol Cooper' },
  dave: { name: 'Dave Dyer' },
};

/** A login name nobody declared works as well, so that a test can sign in two hundred different people. */
const claimsOf = (id, given = {}) => ({
  sub: id,
  preferred_username: id,
  name: id.charAt(0).toUpperCase() + id.slice(1),
  email: `${id}@example.com`,
  email_verified: true,
  groups: ['developers'],
  ...given,
});

async function generateJwk(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-${crypto.randomUUID()}` };
}

const clientMetadata = (client) => ({
  client_id: client.client_id,
  client_secret: client.client_secret,
  redirect_uris: client.redirect_uris,
  grant_types: client.grant_types ?? ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: client.auth_method ?? 'client_secret_basic',
  id_token_signed_response_alg: client.id_token_alg ?? 'ES256',
});

const grantNames = { authorization_code: 'authorizationCode', refresh_token: 'refresh' };

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve(server.address().port);
    });
  });
}

/**
 * A real OpenID provider (npm oidc-provider) on loopback: the upstream of the demo and of the tests. It rotates refresh
 * tokens and punishes their reuse by revoking the family, like the providers that catch brokers which refresh twice. A
 * test can slow it down, make it fail, take it off the network, and read what it was asked. Types and the meaning of
 * every option: upstream-provider.d.mts.
 */
export async function startUpstream(options) {
  const { accessTokenTtlSeconds = 3600, refreshTokenTtlSeconds = 14 * DAY_SECONDS, rotate = true } = options;
  const { graceMs = 0 } = options;
  const { default: Provider, interactionPolicy } = await quietly(() => import('oidc-provider'));

  const users = new Map(
    Object.entries({ ...defaultUsers, ...options.users }).map(([id, given]) => [id, claimsOf(id, given)]),
  );
  const Adapter = createMemoryStore({ graceMs });
  const gate = createGate();
  const recorder = createSecretRecorder();
  const counts = {
    authorizationCode: { attempted: 0, succeeded: 0 },
    refresh: { attempted: 0, succeeded: 0 },
    other: { attempted: 0, succeeded: 0 },
  };
  const refreshTokensSeen = [];
  const revocationsSeen = [];
  const serverErrors = [];
  const scripted = { token: [], userinfo: [], jwks: [] };
  const withoutIdToken = new Set();
  let jwks = [];
  let provider;
  let answer;
  let latencyMs = 0;

  async function answerTokenRequest(ctx, next) {
    const { form } = ctx.req;
    const count = counts[grantNames[form.get('grant_type')] ?? 'other'];
    count.attempted += 1;
    if (form.get('grant_type') === 'refresh_token') refreshTokensSeen.push(form.get('refresh_token') ?? '');
    await gate.pass('request');
    if (latencyMs > 0) await delay(latencyMs);
    const cut = await answerAsScripted(ctx, next, 'token', count);
    await gate.pass('answer');
    cut?.();
  }

  /** What the library answers, or what a test wants instead; how the connection ends, where there is no answer. */
  async function answerAsScripted(ctx, next, endpoint, count) {
    const script = scripted[endpoint].shift();
    if (script === undefined || script.afterProcessing === true || script.alter !== undefined) {
      await next();
      if (withoutIdToken.has(ctx.oidc?.client?.clientId)) delete ctx.body?.id_token;
      recorder.answer(ctx.body);
      if (ctx.status === 200 && count !== undefined) count.succeeded += 1;
    }
    if (script === undefined) return undefined;
    if (script.alter !== undefined) {
      ctx.body = await script.alter(structuredClone(ctx.body));
      recorder.answer(ctx.body);
      return undefined;
    }
    if (script.hang === true || script.reset === true) {
      ctx.respond = false;
      return script.hang === true ? undefined : () => ctx.req.socket.destroy();
    }
    ctx.status = script.status ?? 500;
    ctx.body = script.body ?? '';
    ctx.set(script.headers ?? {});
    return undefined;
  }

  /** The library has no way to change keys while running: a fresh provider over the same store takes over instead. */
  async function replaceProvider() {
    const policy = interactionPolicy.base();
    policy.get('login').checks.add(
      new interactionPolicy.Check('other_account', 'login_hint names another account', 'login_required', (ctx) => {
        const { params, session, result } = ctx.oidc;
        const hint = params.login_hint;
        return Boolean(hint && session.accountId && session.accountId !== hint && !result?.login);
      }),
    );
    const configuration = {
      adapter: Adapter,
      jwks: { keys: jwks.map((key) => ({ ...key })) },
      cookies: {
        keys: ['upstream-cookie-key'],
        // Real browsers share cookies between the ports of a host.
        names: { session: `_idp_${port}`, interaction: `_idp_${port}_login`, resume: `_idp_${port}_resume` },
      },
      pkce: { required: () => true },
      scopes: SCOPES,
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name', 'preferred_username'],
        groups: ['groups'],
      },
      // Scope claims are also in the ID token, as most providers do it.
      conformIdTokenClaims: false,
      enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256'] },
      findAccount: (_ctx, id) => ({ accountId: id, claims: () => users.get(id) ?? claimsOf(id) }),
      features: {
        devInteractions: { enabled: false },
        revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
        rpInitiatedLogout: {
          enabled: true,
          logoutSource: (ctx, form) => {
            ctx.body = page(
              'Sign out?',
              `${form}<button autofocus form="op.logoutForm" name="logout" value="yes">Yes</button>`,
            );
          },
          postLogoutSuccessSource: (ctx) => {
            ctx.body = page('You are signed out', '');
          },
        },
      },
      interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}`, policy },
      // A fresh grant with everything asked for: no consent prompt, and each login is a token family of its own.
      loadExistingGrant: async (ctx) => {
        const grant = new ctx.oidc.provider.Grant({
          clientId: ctx.oidc.client.clientId,
          accountId: ctx.oidc.session.accountId,
        });
        grant.addOIDCScope(SCOPES.join(' '));
        await grant.save();
        return grant;
      },
      issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
      rotateRefreshToken: rotate,
      clientBasedCORS: () => false,
      renderError: (ctx, out) => {
        ctx.type = 'html';
        ctx.body = page(out.error, `<p>${String(out.error_description ?? '').replace(/[<>&]/g, '')}</p>`);
      },
      ttl: {
        AccessToken: accessTokenTtlSeconds,
        AuthorizationCode: 60,
        Grant: Math.max(refreshTokenTtlSeconds, DAY_SECONDS),
        IdToken: 3600,
        Interaction: 600,
        RefreshToken: refreshTokenTtlSeconds,
        Session: DAY_SECONDS,
      },
    };
    const fresh = await quietly(() => new Provider(issuer, configuration));
    fresh.on('server_error', (_ctx, error) => serverErrors.push(error));
    // Without a listener it would be printed. A caller who hangs up has had enough, of ten megabytes for instance.
    fresh.on('error', (error) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') serverErrors.push(error);
    });
    fresh.use(async (ctx, next) => {
      if (ctx.method === 'POST' && ctx.path === '/token') return answerTokenRequest(ctx, next);
      if (ctx.path === '/me' || ctx.path === '/jwks') {
        const cut = await answerAsScripted(ctx, next, ctx.path === '/me' ? 'userinfo' : 'jwks');
        return cut?.();
      }
      if (ctx.method === 'POST' && ctx.path === '/token/revocation') revocationsSeen.push(ctx.req.form.get('token'));
      await next();
      return recorder.redirect(ctx.response.get('location'));
    });
    provider = fresh;
    answer = fresh.callback();
  }

  async function handle(request, response) {
    try {
      const readable = request.method === 'POST' ? await bufferRequest(request) : request;
      if (readable !== request) recorder.request(readable);
      if (request.url.startsWith('/interaction/')) await answerInteraction(provider, users, readable, response);
      else await answer(readable, response);
    } catch (error) {
      serverErrors.push(error);
      response.destroy();
    }
  }

  async function rotateSigningKeys({ keepOld = true } = {}) {
    const algs = new Set(['ES256', ...jwks.map((key) => key.alg)]);
    const fresh = await Promise.all([...algs].map(generateJwk));
    jwks = keepOld ? [...fresh, ...jwks] : fresh;
    await replaceProvider();
  }

  /** RSA keys take so long to make that only who asks for one pays. */
  async function signingKey(alg) {
    if (!jwks.some((key) => key.alg === alg)) {
      jwks = [...jwks, await generateJwk(alg)];
      await replaceProvider();
    }
    return jwks.find((key) => key.alg === alg);
  }

  async function signIdToken(claims, alg = 'ES256') {
    const key = await signingKey(alg);
    const token = await new SignJWT(claims).setProtectedHeader({ alg, kid: key.kid }).sign(await importJWK(key, alg));
    recorder.add(token);
    return token;
  }

  async function addClient(client) {
    recorder.add(client.client_secret);
    if (client.id_token === false) withoutIdToken.add(client.client_id);
    await signingKey(client.id_token_alg ?? 'ES256');
    await new Adapter('Client').upsert(client.client_id, clientMetadata(client));
  }

  const server = createServer((request, response) => void handle(request, response));
  const port = await listen(server, options.port ?? 0);
  const url = `http://${HOST}:${port}`;
  const issuer = options.issuer ?? url;
  await rotateSigningKeys();
  for (const client of options.clients) await addClient(client);

  async function disconnect() {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  return {
    issuer,
    port,
    url,
    users,
    counts,
    refreshTokensSeen,
    revocationsSeen,
    serverErrors,
    secrets: recorder.secrets,
    addClient,
    rotateSigningKeys,
    signIdToken,
    withhold: (stage = 'answer') => gate.close(stage),
    release: () => gate.open(),
    waitForTokenRequest: (count = 1) => gate.waitFor(count),
    setLatency: (ms) => {
      latencyMs = ms;
    },
    holderOf: (accessToken) => Adapter.holderOf(accessToken),
    expireAccessTokens: (login) => Adapter.expireAccessTokens(login),
    failNext: (count, failure = {}, endpoint = 'token') => {
      for (let index = 0; index < count; index += 1) scripted[endpoint].push(failure);
    },
    alterNext: (count, alter, endpoint = 'token') => {
      for (let index = 0; index < count; index += 1) scripted[endpoint].push({ alter });
    },
    forgetScript: () => {
      for (const queue of Object.values(scripted)) queue.length = 0;
    },
    resetCounts: () => {
      for (const count of Object.values(counts)) Object.assign(count, { attempted: 0, succeeded: 0 });
      refreshTokensSeen.length = 0;
    },
    disconnect,
    reconnect: async () => {
      if (!server.listening) await listen(server, port);
    },
    stop: async () => {
      gate.open();
      await disconnect();
    },
  };
}
