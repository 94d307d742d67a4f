import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import { Clock } from '../../common/clock.js';
import { Configuration } from '../../config/index.js';
import { OutboundClient, OutboundDocument } from '../../identity-providers/index.js';
import type { Client, RegisteredKeys } from '../client.js';

const TIMEOUT_MS = 2_500;
const MAX_AGE_MS = 5 * 60_000;
/** However many unknown keys are named, a document is asked for again at most this often. */
const RELOAD_AFTER_MS = 30_000;
/** Whoever answered badly is asked again at most this often: a forged assertion is enough to have us ask. */
const RETRY_AFTER_MS = 2_000;
const MAX_BYTES = 64 * 1024;
/** So many documents are kept, and so many keys of one. */
const MAX_DOCUMENTS = 1_000;
const MAX_KEYS = 100;

type KeySet = ReturnType<typeof createLocalJWKSet>;

interface Document {
  outbound: OutboundDocument<KeySet>;
  askedAt: number;
  failedAt: number;
}

/**
 * The public keys of clients: registered with the client, or where its `jwks_uri` says. That is a URL which somebody else
 * chose, so only what OUTBOUND_ALLOW_CLIENTS and the outbound policy permit is asked, and little time is given to it.
 * @see RFC 7591 section 2
 */
@Injectable()
export class ClientKeys implements OnApplicationShutdown {
  readonly #outbound: OutboundClient;
  readonly #documents = new Map<string, Document>();
  /** Of registered keys, as long as they are in use: importing a key costs more than verifying with it. */
  readonly #registered = new WeakMap<RegisteredKeys, KeySet>();

  constructor(
    @Inject(Configuration) { environment }: Configuration,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    this.#outbound = new OutboundClient({ allow: environment.OUTBOUND_ALLOW_CLIENTS });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#outbound.close();
  }

  /** The key of the client that verifies what has this header. @throws Error where there is none, or none can be had */
  async find(client: Client, header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const { jwks, jwksUri } = client;
    if (jwks) return select(this.#keysOf(jwks), header, token);
    if (jwksUri === undefined) throw new Error('the client has no keys');
    const document = this.#documentAt(jwksUri);
    const keys = await document.outbound.get();
    try {
      return await select(keys, header, token);
    } catch (error) {
      const unknown = error instanceof errors.JWKSNoMatchingKey;
      if (!unknown || Math.abs(this.clock.now() - document.askedAt) < RELOAD_AFTER_MS) throw error;
    }
    return select(await document.outbound.reload(), header, token);
  }

  #keysOf(jwks: RegisteredKeys): KeySet {
    const known = this.#registered.get(jwks);
    if (known) return known;
    const keys = createLocalJWKSet(jwks as unknown as JSONWebKeySet);
    this.#registered.set(jwks, keys);
    return keys;
  }

  #documentAt(url: string): Document {
    const known = this.#documents.get(url);
    if (known) return known;
    if (this.#documents.size >= MAX_DOCUMENTS) this.#documents.clear();
    const document: Document = {
      askedAt: 0,
      failedAt: 0,
      outbound: new OutboundDocument(() => this.#ask(url, document), MAX_AGE_MS, this.clock),
    };
    this.#documents.set(url, document);
    return document;
  }

  async #ask(url: string, document: Document): Promise<KeySet> {
    const now = this.clock.now();
    if (Math.abs(now - document.failedAt) < RETRY_AFTER_MS) throw new Error('jwks_uri: failed just now');
    document.askedAt = now;
    try {
      return await this.#load(url);
    } catch (error) {
      document.failedAt = this.clock.now();
      throw error;
    }
  }

  async #load(url: string): Promise<KeySet> {
    const response = await this.#outbound.fetch(url, {
      headers: { accept: 'application/json' },
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    });
    if (response.status !== 200) throw new Error(`jwks_uri: status ${response.status}`);
    const set = (await response.json()) as JSONWebKeySet;
    if (!Array.isArray(set.keys) || set.keys.length > MAX_KEYS) throw new Error('jwks_uri: not a key set');
    return createLocalJWKSet(set);
  }
}

/** One algorithm has two names, and its key may bear the other one. @see RFC 9864 section 2.2 */
const OTHER_NAMES: Readonly<Record<string, string>> = { Ed25519: 'EdDSA', EdDSA: 'Ed25519' };

async function select(keys: KeySet, header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
  try {
    return await keys(header, token);
  } catch (error) {
    const alg = OTHER_NAMES[header.alg ?? ''];
    if (alg === undefined || !(error instanceof errors.JWKSNoMatchingKey)) throw error;
    return keys({ ...header, alg }, token);
  }
}
