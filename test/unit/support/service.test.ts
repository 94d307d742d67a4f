import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/free-port.mjs';
import { SecretLedger } from '../../support/secret-ledger.js';
import { encryptionKeys, startService } from '../../support/service.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Stands in for the built service: ready at the third question, tells what it was given, ends well on SIGTERM. */
const STAND_IN = `
const { createServer } = require('node:http');
const { readFileSync } = require('node:fs');
const { env } = process;
if (env.FAIL) { console.error('DATABASE_URL is wrong, see ' + env.CONFIG_FILE); process.exit(3); }
let asked = 0;
const config = env.CONFIG_FILE ? readFileSync(env.CONFIG_FILE, 'utf8') : '';
createServer((request, response) => {
  if (request.url === '/readyz') response.writeHead(++asked < 3 ? 503 : 200).end();
  else response.end(JSON.stringify({ env, config }));
}).listen(Number(env.PORT), env.HOST, () => console.log('listening'));
process.on('SIGTERM', () => { if (!env.STUBBORN) { console.error('draining'); process.exit(0); } });
`;

async function seen(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

describe('startService', () => {
  let main: string;
  beforeAll(() => {
    main = join(temporaryDirectory(), 'stand-in.cjs');
    writeFileSync(main, STAND_IN);
  });

  it('starts with a clean environment and a configuration file, waits until ready, and stops', async () => {
    const ledger = new SecretLedger();
    const keys = encryptionKeys();
    const service = await startService({
      main,
      databaseUrl: 'sqlite:/nowhere',
      config: ({ url }) => ({ identity_providers: [{ id: 'up', redirect: `${url}/login/up/callback` }] }),
      env: { ENCRYPTION_KEYS: keys, LOG_LEVEL: undefined },
      ledger,
    });
    const environment = {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: String(service.port),
      ISSUER: service.url,
      DATABASE_URL: 'sqlite:/nowhere',
      OUTBOUND_ALLOW: '127.0.0.1',
      ENCRYPTION_KEYS: keys,
      HOME: expect.any(String),
      TMPDIR: expect.any(String),
      CONFIG_FILE: expect.any(String),
    };
    const config = `identity_providers:\n  - id: up\n    redirect: ${service.url}/login/up/callback\n`;
    expect(await seen(service.url)).toEqual({ env: environment, config });
    expect(ledger.has(keys.slice(3))).toBe(true);
    expect(await service.stop()).toBe(0);
    expect(service.output()).toBe('listening\ndraining\n');
  });

  it('restarts with the same port and keys', async () => {
    const first = await startService({ main, databaseUrl: 'sqlite:/nowhere' });
    await first.kill();
    const second = await startService(first.settings);
    expect(second.url).toBe(first.url);
    expect(second.settings.env).toEqual(first.settings.env);
    expect(second.pid).not.toBe(first.pid);
    await second.stop();
  });

  it('reports what the process wrote when it ends early, and leaves no directory', async () => {
    const started = startService({ main, databaseUrl: 'sqlite:/nowhere', config: {}, env: { FAIL: '1' } });
    await expect(started).rejects.toThrow(/ended with 3:\nDATABASE_URL is wrong/);
    const message = await started.then(() => '', String);
    const file = /see (\S+)/.exec(message)?.[1] ?? '';
    expect(file).toContain('config.yaml');
    expect(existsSync(dirname(file))).toBe(false);
  });

  it('does not insist on a port that the test chose when somebody else has it', async () => {
    const port = await freePort();
    const squatter = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => void squatter.listen(port, '127.0.0.1', resolve));
    await expect(startService({ main, databaseUrl: 'sqlite:/nowhere', port })).rejects.toThrow('EADDRINUSE');
    await new Promise((resolve) => squatter.close(resolve));
  });
});
