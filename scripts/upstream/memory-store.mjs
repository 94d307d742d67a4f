/**
 * Storage for oidc-provider that belongs to one provider. The library's own memory adapter is shared by all providers of
 * a process and forgets after a thousand entries, so two upstreams in one test would see each other's codes and a load
 * test would lose sessions. It also outlives the provider object, which is what makes key rotation possible.
 *
 * @param {{ graceMs: number }} options for so long a rotated refresh token is taken again, as many providers do for
 *   brokers that did not receive their answer
 */
export function createMemoryStore({ graceMs }) {
  /** @type {Map<string, { payload: Record<string, unknown>, expiresAt: number }>} */
  const entries = new Map();

  const read = (key) => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt > Date.now()) return entry.payload;
    entries.delete(key);
    return undefined;
  };

  const findBy = (model, property, value) => {
    for (const [key, { payload }] of entries) {
      if (key.startsWith(`${model}:`) && payload[property] === value) return read(key);
    }
    return undefined;
  };

  return class MemoryAdapter {
    constructor(model) {
      this.model = model;
    }

    /** Whose access token it is, if it is valid now. */
    static holderOf(accessToken) {
      return read(`AccessToken:${accessToken}`)?.accountId;
    }

    static expireAccessTokens(accountId) {
      const keys = [...entries.keys()].filter(
        (key) => key.startsWith('AccessToken:') && read(key)?.accountId === accountId,
      );
      for (const key of keys) entries.delete(key);
      return keys.map((key) => key.slice('AccessToken:'.length));
    }

    async upsert(id, payload, expiresInSeconds) {
      const expiresAt = expiresInSeconds === undefined ? Infinity : Date.now() + expiresInSeconds * 1000;
      entries.set(`${this.model}:${id}`, { payload, expiresAt });
    }

    async find(id) {
      const payload = read(`${this.model}:${id}`);
      if (this.model !== 'RefreshToken' || payload?.consumed === undefined) return payload;
      const { consumedAtMs, ...rest } = payload;
      if (Date.now() - consumedAtMs >= graceMs) return payload;
      delete rest.consumed;
      return rest;
    }

    async findByUid(uid) {
      return findBy(this.model, 'uid', uid);
    }

    async findByUserCode(userCode) {
      return findBy(this.model, 'userCode', userCode);
    }

    async consume(id) {
      const payload = read(`${this.model}:${id}`);
      if (payload === undefined) return;
      payload.consumed ??= Math.floor(Date.now() / 1000);
      payload.consumedAtMs ??= Date.now();
    }

    async destroy(id) {
      entries.delete(`${this.model}:${id}`);
    }

    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries) {
        if (payload.grantId === grantId) entries.delete(key);
      }
    }
  };
}
