// @ts-check
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ensureBuilt, isBuilt, MAIN } from './build.mjs';
import { bold, body, countDown, dim, say, table, title } from './demo/report.mjs';
import { ServiceFailure, startService } from './demo/service.mjs';
import { UserAgent } from './demo/user-agent.mjs';
import { freePort, preferPort } from './free-port.mjs';
import { removeTemporaryDirectory, temporaryDirectory } from './lifeline.mjs';
import { startUpstream } from './upstream-provider.mjs';

const PREFERRED_PORT = 3000;
const PORT_ATTEMPTS = 5;
const UPSTREAM_TOKEN_SECONDS = 20;
/** The provider counts whole seconds; one more and the token has expired by anybody's clock. */
const EXPIRY_MARGIN_MS = 1_500;
const PROVIDER = 'mobypay';
const CLIENT_ID = 'demo-app';
/** Nobody listens there: the demo is the client and takes the code from the redirect itself. */
const REDIRECT_URI = 'http://127.0.0.1/demo-app/callback';
const SCOPE = 'openid profile email federated-identity:token';
const USER = { login: 'alice', name: 'Alice Archer' };
const PACE_PATH = `/user/2024-3/federated-identities/${PROVIDER}/token`;
const ONEZONE_PATH = `/api/v3/onezone/user/idp_access_token/${PROVIDER}`;

const secret = () => randomBytes(32).toString('base64url');

/** Something that a person can understand without a stack. */
class DemoFailure extends Error {}

/**
 * `localhost` is the IPv6 loopback, too: a server that listens only there would get our visitors.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function answersOnIpv6(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '::1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** @param {number} wanted */
async function choosePort(wanted) {
  const port = await preferPort(wanted);
  return port === wanted && (await answersOnIpv6(port)) ? freePort() : port;
}

/**
 * @param {import('./upstream-provider.mjs').Upstream} upstream
 * @param {string} upstreamSecret
 * @param {string} clientSecret
 */
const configuration = (upstream, upstreamSecret, clientSecret) => ({
  clients: [
    {
      client_id: CLIENT_ID,
      client_name: 'Demo app',
      client_secret: clientSecret,
      redirect_uris: [REDIRECT_URI],
      scope: SCOPE,
      upstream_providers: [PROVIDER],
    },
    {
      client_id: 'swagger-ui',
      client_name: 'API documentation',
      token_endpoint_auth_method: 'none',
      scope: SCOPE,
      upstream_providers: [PROVIDER],
    },
  ],
  identity_providers: [
    {
      id: PROVIDER,
      name: 'MobyPay',
      issuer: upstream.issuer,
      client_id: 'symbolon',
      client_secret: upstreamSecret,
      offline_access: true,
      sign_up: true,
    },
  ],
});

/**
 * Starts the service on the preferred port, or on another one when somebody else took it.
 * @param {string} directory
 * @param {import('./upstream-provider.mjs').Upstream} upstream
 */
async function launch(directory, upstream) {
  const clientSecret = secret();
  const encryptionKeys = `demo:${randomBytes(32).toString('base64')}`;
  const configFile = join(directory, 'config.json');
  for (let attempt = 1; ; attempt += 1) {
    const port = attempt === 1 ? await choosePort(PREFERRED_PORT) : await freePort();
    const issuer = `http://localhost:${port}`;
    const upstreamSecret = secret();
    await upstream.addClient({
      client_id: 'symbolon',
      client_secret: upstreamSecret,
      redirect_uris: [`${issuer}/login/${PROVIDER}/callback`],
    });
    writeFileSync(configFile, JSON.stringify(configuration(upstream, upstreamSecret, clientSecret)), { mode: 0o600 });
    try {
      const service = await startService({
        main: MAIN,
        directory,
        issuer,
        environment: {
          PORT: String(port),
          HOST: '127.0.0.1',
          ISSUER: issuer,
          DATABASE_URL: `sqlite:${join(directory, `demo-${attempt}.sqlite`)}`,
          CONFIG_FILE: configFile,
          ENCRYPTION_KEYS: encryptionKeys,
          OUTBOUND_ALLOW: '127.0.0.1',
        },
      });
      return { ...service, issuer, port, clientSecret };
    } catch (error) {
      const collision = error instanceof ServiceFailure && error.output.includes('EADDRINUSE');
      if (!collision || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/**
 * The authorization code flow with PKCE, as a browser and a client go through it.
 * @param {string} issuer
 * @param {string} clientSecret
 * @param {AbortSignal} signal
 * @returns {Promise<{ accessToken: string, expiresInSeconds: number }>}
 */
async function signIn(issuer, clientSecret, signal) {
  const verifier = secret();
  const state = secret();
  const request = new URL(`${issuer}/auth`);
  request.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state,
    nonce: secret(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    identity_provider: PROVIDER,
  }).toString();
  const browser = new UserAgent(signal);
  const chooser = await browser.open(request, REDIRECT_URI);
  const consent = await browser.press(chooser, USER.name, REDIRECT_URI);
  const { location: answer } = await browser.press(consent, 'Allow', REDIRECT_URI);
  const code = answer?.searchParams.get('code');
  if (!answer || !code || answer.searchParams.get('state') !== state || answer.searchParams.get('iss') !== issuer) {
    throw new DemoFailure(`the sign-in brought no code: ${answer?.searchParams.get('error') ?? 'no redirect'}`);
  }
  const tokens = await post(`${issuer}/token`, {
    signal,
    headers: { authorization: `Basic ${Buffer.from(`${CLIENT_ID}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
    }),
  });
  return { accessToken: String(tokens['access_token']), expiresInSeconds: Number(tokens['expires_in']) };
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<Record<string, unknown>>} the 200 body
 */
async function post(url, options) {
  const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(15_000), ...options });
  const text = await answer.text();
  if (answer.status !== 200) throw new DemoFailure(`${new URL(url).pathname} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

/**
 * The same upstream token through two interfaces.
 * @param {string} issuer
 * @param {string} accessToken
 */
async function readThroughBoth(issuer, accessToken) {
  const headers = { authorization: `Bearer ${accessToken}` };
  const pace = await post(issuer + PACE_PATH, { headers });
  const onezone = await post(issuer + ONEZONE_PATH, { headers: { 'x-auth-token': accessToken } });
  if (pace['access_token'] !== onezone['token']) throw new DemoFailure('the two interfaces gave different tokens');
  body(`PACE      POST ${PACE_PATH}`, pace);
  body(`Onezone   POST ${ONEZONE_PATH}`, onezone);
  return { pace, onezone };
}

/**
 * @param {string} issuer
 * @param {string} accessToken
 * @param {string} clientSecret
 */
function invite(issuer, accessToken, clientSecret) {
  title('Try it');
  say(dim('  Through PACE:'));
  say(`curl -s -X POST ${issuer}${PACE_PATH} -H 'Authorization: Bearer ${accessToken}'`);
  say(dim('  Through Onezone:'));
  say(`curl -s -X POST ${issuer}${ONEZONE_PATH} -H 'X-Auth-Token: ${accessToken}'`);
  title('Swagger UI');
  say(`  ${bold(`${issuer}/docs`)}`);
  say('  1. Press Authorize, and Authorize again below "oauth2": the client and its scopes are filled in already, and');
  say('     it has no secret.');
  say(`  2. Continue with MobyPay, sign in as ${USER.name} (or anybody else), allow, close the dialog.`);
  say(`  3. Open an operation of PACE or Onezone, Try it out, Execute. Identity provider: ${PROVIDER}.`);
  title('Who is who');
  table([
    ['user', `${USER.name} (${USER.login}); at the provider a button stands for the password`],
    ['client', `${CLIENT_ID}, secret ${clientSecret}`],
    ['redirect URI', `${REDIRECT_URI} (on any port)`],
    ['documentation', 'swagger-ui, a public client (PKCE)'],
  ]);
}

/**
 * @param {AbortSignal} interrupted
 * @param {(undo: () => Promise<void> | void) => void} atEnd
 * @param {boolean} leave
 */
async function main(interrupted, atEnd, leave) {
  say(bold('Symbolon: upstream access tokens for your users, kept fresh'));
  if (!isBuilt()) say(dim('  building ...'));
  ensureBuilt();
  const directory = temporaryDirectory();
  atEnd(() => removeTemporaryDirectory(directory));
  const upstream = await startUpstream({ clients: [], accessTokenTtlSeconds: UPSTREAM_TOKEN_SECONDS });
  atEnd(() => upstream.stop());
  const service = await launch(directory, upstream);
  atEnd(() => service.stop());
  const { issuer, port, clientSecret } = service;
  const replaced = port === PREFERRED_PORT ? '' : `  (port ${PREFERRED_PORT} is busy, so this one took its place)`;
  table([
    ['service', issuer + replaced],
    [
      'provider',
      `${upstream.issuer}  MobyPay, a real OpenID provider; its access tokens live ${UPSTREAM_TOKEN_SECONDS} s`,
    ],
    ['database', 'SQLite, in a private directory that vanishes at the end'],
  ]);

  const work = async () => {
    title(`1. ${USER.name} signs in at MobyPay (authorization code, PKCE) and allows the demo app`);
    const { accessToken, expiresInSeconds } = await signIn(issuer, clientSecret, interrupted);
    say(`  The app holds an access token of Symbolon, good for ${expiresInSeconds / 60} minutes.`);

    title('2. Her MobyPay token, read with it through two interfaces');
    const before = await readThroughBoth(issuer, accessToken);
    const expiresAtMs = Date.now() + Number(before.pace['expires_in']) * 1000;

    title('3. Waiting until that token has expired at MobyPay; she is away');
    await countDown(expiresAtMs + EXPIRY_MARGIN_MS, interrupted);

    title('4. The same two requests again: refreshed once, behind her back');
    const after = await readThroughBoth(issuer, accessToken);
    const upstreamRefreshes = upstream.counts.refresh.attempted;
    if (after.pace['access_token'] === before.pace['access_token'])
      throw new DemoFailure('the token was not refreshed');
    if (upstreamRefreshes !== 1) throw new DemoFailure(`MobyPay was asked ${upstreamRefreshes} times, not once`);
    say(`  ${bold('A fresh token, one request at MobyPay for both.')}`);
    const docs = `${issuer}/docs`;
    const result = {
      pace: { before: before.pace, after: after.pace },
      onezone: { before: before.onezone, after: after.onezone },
      upstreamRefreshes,
      docs,
    };
    invite(issuer, accessToken, clientSecret);
    if (leave) return result;
    say(`\nEverything stays up. ${bold('Ctrl-C')} ends it and removes its data.`);
    return new Promise(() => {});
  };
  return Promise.race([work(), service.failed]);
}

/** @param {unknown} error */
function explain(error) {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof DemoFailure || error instanceof ServiceFailure ? '' : (error?.stack ?? '');
  return stack === '' ? message : stack;
}

const unknown = process.argv.slice(2).filter((argument) => argument !== '--exit');
if (unknown.length > 0) {
  console.error(`unknown option ${unknown[0]}; the demo knows only --exit`);
  process.exit(2);
}
const leave = process.argv.includes('--exit');
const interruption = new AbortController();
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => interruption.abort());
}
/** @type {(() => Promise<void> | void)[]} */
const undo = [];
/** @type {object | undefined} */
let result;
let status = 0;
const { signal: interrupted } = interruption;
/** @type {Promise<never>} */
const interrupt = new Promise((_, reject) => {
  interrupted.addEventListener('abort', () => reject(new DemoFailure('interrupted')), { once: true });
});
try {
  result = await Promise.race([main(interrupted, (step) => void undo.unshift(step), leave), interrupt]);
} catch (error) {
  if (!interrupted.aborted) {
    status = 1;
    console.error(`\nThe demo failed: ${explain(error)}`);
    if (error instanceof ServiceFailure) console.error(`\nThe service's last output:\n${error.output}`);
  } else if (leave) {
    status = 130;
  } else {
    say('\nEnding ...');
  }
}
for (const step of undo) await step();
if (result !== undefined) say(`\n${JSON.stringify(result)}`);
process.stdout.write('', () => process.exit(status));
