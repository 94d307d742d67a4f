import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { read, type FaceName, type Reading } from '../../support/vault.js';
import type { Cluster, Replica } from './cluster.js';

const WITHIN_MS = 45_000;
const PAUSE_MS = 100;

/** What a face says when it is worth trying again: later, and how much later. @see vault.md, "What each face says" */
const RETRYABLE: Record<FaceName, readonly number[]> = { pace: [500, 503], onezone: [503] };

export function isRetryable({ status, retryAfter }: Reading, face: FaceName): boolean {
  return RETRYABLE[face].includes(status) && Number(retryAfter) > 0;
}

/** Reads as a patient client does: again for as long as it is told to come back, and never given a token that is none. */
export async function readPatiently(
  cluster: Cluster,
  token: string,
  { login, face = 'pace', at }: { login: string; face?: FaceName; at: Replica },
): Promise<Reading> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const reading = await read(cluster, token, { face, at });
    if (reading.status === 200) expect(cluster.upstream.holderOf(reading.token ?? '')).toBe(login);
    if (!isRetryable(reading, face) || performance.now() > deadline) return reading;
    await delay(PAUSE_MS);
  }
}

/** The same through both faces, at every replica that lives. */
export function everybodyReads(cluster: Cluster, token: string, login: string): Promise<Reading[]> {
  return Promise.all(
    cluster.replicas
      .filter(({ alive }) => alive)
      .flatMap((at) =>
        (['pace', 'onezone'] as const).map((face) => readPatiently(cluster, token, { login, face, at })),
      ),
  );
}
