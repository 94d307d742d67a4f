import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Clock } from '../../../src/common/clock.js';
import { Secret } from '../../../src/common/secret.js';
import { OutboundClient } from '../../../src/identity-providers/outbound-client.js';
import { UpstreamClient } from '../../../src/identity-providers/upstream-client.js';
import { oidcProvider, REDIRECT_URI } from './oidc-provider.mjs';
import { directoryEntry, listen } from './provider-server.js';

class WallClock extends Clock {
  now(): number {
    return Date.now();
  }
}

/** What a browser does: follows redirects with its cookies until it is sent back to the client. */
async function signIn(start: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = start;
  for (let hops = 0; hops < 10 && !url.startsWith(REDIRECT_URI); hops += 1) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    url = new URL(response.headers.get('location') ?? '', url).href;
  }
  return new URL(url);
}

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const pem = (key: KeyObject): Secret => new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());

describe('UpstreamClient with npm oidc-provider', () => {
  // The id has characters that RFC 6749 section 2.3.1 has encoded in Basic credentials.
  it.each([
    ['client_secret_basic', 'issuer'],
    ['client_secret_post', 'issuer'],
    ['private_key_jwt', 'issuer'],
    ['private_key_jwt', 'token_endpoint'],
  ] as const)(
    'signs a user in, keeps refreshing and revokes, by %s (for the %s)',
    async (authMethod, clientAssertionAudience) => {
      let handler: RequestListener | undefined;
      const server = await listen((request, response) => handler?.(request, response));
      const clientId = 'broker-1.a_b';
      const clientSecret = 'a secret with : and % in it, long enough';
      const [ours, theirs] = [newKey(), newKey()];
      handler = await oidcProvider({
        issuer: server.origin,
        clientId,
        clientSecret,
        authMethod,
        clientKey: createPublicKey(ours).export({ format: 'jwk' }),
      });
      const outbound = new OutboundClient({ allow: ['127.0.0.1'] });
      const entry = directoryEntry(server.origin, {
        clientId,
        clientSecret: new Secret(clientSecret),
        privateKey: pem(ours),
        tokenEndpointAuthMethod: authMethod,
        clientAssertionAudience,
      });
      const upstream = new UpstreamClient(entry, outbound, new WallClock(), { tokenTimeoutMs: 10_000 });

      expect(await upstream.issParameterSupported()).toBe(true);
      const codeVerifier = 'v'.repeat(43);
      const authorization = new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: REDIRECT_URI,
        scope: 'openid email offline_access',
        nonce: 'n-1',
        code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
        code_challenge_method: 'S256',
      });
      const back = await signIn(`${await upstream.authorizationEndpoint()}?${authorization}`);
      expect(back.searchParams.get('iss')).toBe(server.origin);

      const grant = { code: back.searchParams.get('code') ?? '', redirectUri: REDIRECT_URI, codeVerifier };
      const tokens = await upstream.redeemCode(grant);
      expect(tokens).toMatchObject({ tokenType: 'Bearer', expiresInSeconds: 300 });
      const { idToken, refreshToken, accessToken } = tokens;
      if (!idToken || !refreshToken) throw new Error('tokens are missing');
      const claims = await upstream.verifyIdToken(idToken, { nonce: 'n-1', accessToken });
      expect(claims.sub).toBe('alice');
      expect(upstream.checkIdTokenOffline(idToken, { subject: 'alice' })).toBe('match');
      expect(await upstream.userinfo(accessToken, 'alice')).toMatchObject({ email: 'alice@idp.example' });

      const refreshed = await upstream.refresh({ refreshToken });
      expect(refreshed.refreshToken?.reveal()).not.toBe(refreshToken.reveal());
      if (!refreshed.idToken) throw new Error('no id_token');
      const again = await upstream.verifyIdToken(refreshed.idToken, {
        subject: 'alice',
        accessToken: refreshed.accessToken,
      });
      expect(again.sub).toBe('alice');

      const successor = refreshed.refreshToken;
      if (!successor) throw new Error('no refresh token');
      expect(await upstream.revocable()).toBe(true);
      await upstream.revoke(successor, 'refresh_token');
      await upstream.revoke(successor, 'refresh_token');
      await expect(upstream.refresh({ refreshToken: successor })).rejects.toMatchObject({ kind: 'invalid_grant' });

      await expect(upstream.refresh({ refreshToken })).rejects.toMatchObject({ kind: 'invalid_grant' });
      await expect(upstream.redeemCode(grant)).rejects.toMatchObject({ kind: 'invalid_grant' });
      const wrong = { ...entry, clientSecret: new Secret('wrong'), privateKey: pem(theirs) };
      const impostor = new UpstreamClient(wrong, outbound, new WallClock(), { tokenTimeoutMs: 10_000 });
      await expect(impostor.refresh({ refreshToken })).rejects.toMatchObject({ kind: 'misconfigured' });
      await outbound.close();
      await server.close();
    },
  );
});
