import { describe, expect, it } from 'vitest';
import { UpstreamClients } from '../../../src/identity-providers/upstream-clients.js';
import { directoryEntry, ProviderServer, SteppedClock } from './provider-server.js';

function clients(): UpstreamClients {
  return new UpstreamClients({ allow: ['127.0.0.1'], tokenTimeoutMs: 5000, clock: new SteppedClock() });
}

describe('UpstreamClients', () => {
  it('gives the same client for the same version of a provider, and another one when the entry changed', async () => {
    const upstreams = clients();
    const entry = directoryEntry('https://idp.example');
    const first = upstreams.for(entry);
    expect(upstreams.for({ ...entry })).toBe(first);
    expect(upstreams.for({ ...entry, version: '2' })).not.toBe(first);
    expect(upstreams.for({ ...entry, id: 'other' })).not.toBe(first);
    await upstreams.close();
  });

  it('keeps a bounded number of clients and drops the one used longest ago', async () => {
    const upstreams = clients();
    const entry = directoryEntry('https://idp.example');
    const used = upstreams.for({ ...entry, version: 'used' });
    const idle = upstreams.for({ ...entry, version: 'idle' });
    for (let i = 0; i < 254; i += 1) upstreams.for({ ...entry, version: String(i) });
    expect(upstreams.for({ ...entry, version: 'used' })).toBe(used);
    upstreams.for({ ...entry, version: 'one more' });
    expect(upstreams.for({ ...entry, version: 'used' })).toBe(used);
    expect(upstreams.for({ ...entry, version: 'idle' })).not.toBe(idle);
    await upstreams.close();
  });

  it('reaches what the operator allowed until it is closed', async () => {
    const server = await ProviderServer.start();
    const upstreams = clients();
    const client = upstreams.for(directoryEntry(server.issuer));
    expect(await client.authorizationEndpoint()).toBe(`${server.issuer}/authorize`);
    await upstreams.close();
    await expect(client.refresh({ refreshToken: directoryEntry('').clientSecret! })).rejects.toMatchObject({
      kind: 'unavailable',
    });
    await server.close();
  });
});
