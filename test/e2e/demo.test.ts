import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { bindProcess } from '../support/lifeline.mjs';

const DEMO = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
const WITHIN_MS = 90_000;

interface Result {
  pace: Record<'before' | 'after', { access_token: string; token_type: string; expires_in: number; scope: string }>;
  onezone: Record<'before' | 'after', { token: string; ttl: number }>;
  upstreamRefreshes: number;
  docs: string;
}

function startDemo(...options: string[]) {
  const child = spawn(process.execPath, [DEMO, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  bindProcess(child, 'SIGTERM');
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const closed = once(child, 'close') as Promise<[number | null]>;
  return {
    child,
    ended: async () => ({ status: (await closed)[0], output, errors }),
    /** Resolves once the demo has written something that matches. */
    wrote: (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output);
          if (found) resolve(found);
        };
        child.stdout.on('data', look);
        child.once('close', () => reject(new Error(`the demo ended: ${errors}`)));
        look();
      }),
  };
}

const unreachable = (address: string): Promise<boolean> =>
  fetch(address).then(
    () => false,
    () => true,
  );

describe('npm run demo', () => {
  let status: number | null;
  let output: string;
  let errors: string;
  beforeAll(async () => {
    ({ status, output, errors } = await startDemo('--exit').ended());
  }, WITHIN_MS);

  it('ends with 0 and one JSON object on its last line: both faces before and after one refresh', () => {
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    const last = output.trimEnd().split('\n').at(-1) ?? '';
    const { pace, onezone, upstreamRefreshes, docs } = JSON.parse(last) as Result;
    expect(output.match(/^\{/gm)).toHaveLength(1);
    expect(upstreamRefreshes).toBe(1);
    expect(docs).toMatch(/^http:\/\/localhost:\d+\/docs$/);
    for (const moment of ['before', 'after'] as const) {
      expect(Object.keys(pace[moment])).toEqual(['access_token', 'token_type', 'expires_in', 'scope']);
      expect(Object.keys(onezone[moment])).toEqual(['token', 'ttl']);
      expect(pace[moment].access_token).toBe(onezone[moment].token);
      expect(pace[moment].expires_in).toBeGreaterThan(0);
      expect(pace[moment].expires_in).toBeLessThanOrEqual(20);
      expect(onezone[moment].ttl).toBeLessThanOrEqual(20);
    }
    expect(pace.before.access_token).not.toBe(pace.after.access_token);
  });

  it('shows a person what to paste, where to click and who is who', () => {
    expect(output.match(/^curl -s -X POST http:\/\/localhost:\d+\/\S+ -H '[^']+'$/gm)).toHaveLength(2);
    for (const text of ['/docs', 'Authorize', 'Alice Archer', 'demo-app', 'swagger-ui']) expect(output).toContain(text);
  });

  it('takes the service with it', async () => {
    const { docs } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Result;
    expect(await unreachable(docs)).toBe(true);
  });

  it('ends in order when it is interrupted, whatever it is doing', async () => {
    const demo = startDemo();
    const [, address = ''] = await demo.wrote(/service +(http:\/\/localhost:\d+)/);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    demo.child.kill('SIGINT');
    expect(await demo.ended()).toMatchObject({ status: 0, errors: '' });
    expect(await unreachable(`${address}/healthz`)).toBe(true);
  });

  it('refuses an option that it does not know', async () => {
    const { status: refused, errors: reason } = await startDemo('--wat').ended();
    expect(refused).toBe(2);
    expect(reason).toContain('--wat');
  });
});
