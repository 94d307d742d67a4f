import type { KeyObject } from 'node:crypto';
import { importPKCS8, SignJWT, type CryptoKey } from 'jose';
import * as oauth from 'oauth4webapi';
import { epochSeconds, type Clock } from '../common/clock.js';
import { Secret } from '../common/secret.js';
import { privateKeyIn } from '../config/index.js';
import type { IdentityProvider } from './identity-provider.js';
import { UpstreamError } from './upstream-error.js';

const SIGNED_SECRET_LIFETIME_SECONDS = 300;

interface SigningKey {
  key: CryptoKey;
  algorithm: string;
  kid: string | undefined;
}

/** How we prove to a provider that we are the client it knows. */
export class ClientAuthentication {
  #signingKey: Promise<SigningKey> | undefined;

  constructor(
    private readonly provider: IdentityProvider,
    private readonly clock: Clock,
  ) {}

  /** As oauth4webapi wants the client, with our clock for its assertions. */
  get client(): oauth.Client {
    return {
      client_id: this.provider.clientId,
      [oauth.clockSkew]: epochSeconds(this.clock.now()) - epochSeconds(Date.now()),
    };
  }

  /** @throws UpstreamError `misconfigured` if what the method needs is missing or of no use */
  async method(tokenEndpoint: string): Promise<oauth.ClientAuth> {
    switch (this.provider.tokenEndpointAuthMethod) {
      case 'client_secret_basic':
        return oauth.ClientSecretBasic((await this.#secret()).reveal());
      case 'client_secret_post':
        return oauth.ClientSecretPost((await this.#secret()).reveal());
      case 'private_key_jwt':
        return this.#privateKeyJwt(tokenEndpoint);
      default:
        return oauth.None();
    }
  }

  /** What revocation in GitHub's way wants, whatever the method at the token endpoint. @see RFC 7617 */
  async basic(): Promise<string> {
    const secret = await this.#secret();
    return `Basic ${Buffer.from(`${this.provider.clientId}:${secret.reveal()}`).toString('base64')}`;
  }

  async #privateKeyJwt(tokenEndpoint: string): Promise<oauth.ClientAuth> {
    const { key, kid } = await this.#loadedKey();
    return oauth.PrivateKeyJwt(kid === undefined ? key : { key, kid }, {
      [oauth.modifyAssertion]: (header, payload) => {
        // The name that providers know it by. @see RFC 8037 section 3.1
        if (header['alg'] === 'Ed25519') header['alg'] = 'EdDSA';
        if (this.provider.clientAssertionAudience === 'token_endpoint') payload['aud'] = tokenEndpoint;
      },
    });
  }

  async #secret(): Promise<Secret> {
    const { teamId, clientSecret, tokenEndpointAuthMethod } = this.provider;
    if (teamId !== undefined) return this.#signedSecret(teamId);
    if (!clientSecret) throw misconfigured(`${tokenEndpointAuthMethod} without a client secret`);
    return clientSecret;
  }

  /**
   * A client secret that is a token of ours, made anew for every request so that none is worth stealing.
   * @see Sign in with Apple REST API, "Creating a client secret"
   */
  async #signedSecret(teamId: string): Promise<Secret> {
    const { key, algorithm, kid } = await this.#loadedKey();
    const now = epochSeconds(this.clock.now());
    const token = await new SignJWT()
      .setProtectedHeader({ alg: algorithm, ...(kid !== undefined && { kid }) })
      .setIssuer(teamId)
      .setSubject(this.provider.clientId)
      .setAudience(this.provider.issuer)
      .setIssuedAt(now)
      .setExpirationTime(now + SIGNED_SECRET_LIFETIME_SECONDS)
      .sign(key);
    return new Secret(token);
  }

  #loadedKey(): Promise<SigningKey> {
    this.#signingKey ??= this.#loadKey();
    return this.#signingKey;
  }

  async #loadKey(): Promise<SigningKey> {
    const { privateKey, privateKeyId } = this.provider;
    if (!privateKey) throw misconfigured('no private key');
    const found = privateKeyIn(privateKey.reveal());
    const algorithm = found && (found.algorithm ?? algorithmOf(found.key));
    if (!algorithm || !SIGNATURE.test(algorithm)) throw misconfigured('the private key is of no use');
    try {
      // Through PKCS#8, so that there is one way in for both spellings.
      const pem = found.key.export({ type: 'pkcs8', format: 'pem' }).toString();
      return { key: await importPKCS8(pem, algorithm), algorithm, kid: privateKeyId ?? found.id };
    } catch {
      // The cause stays behind: it may quote the key.
      throw misconfigured('the private key does not fit its algorithm');
    }
  }
}

const SIGNATURE = /^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/;
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === 'rsa') return 'RS256';
  if (type === 'ec') return CURVES[details?.namedCurve ?? ''];
  return type === 'ed25519' ? 'EdDSA' : undefined;
}

function misconfigured(reason: string): UpstreamError {
  return new UpstreamError('misconfigured', `client authentication: ${reason}`);
}
