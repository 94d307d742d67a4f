import type { Draws } from './draws.js';

const WEIGHTS = {
  read: 2,
  expire: 4,
  unlink: 2,
  relink: 2,
  kill: 4,
  database: 4,
  provider: 5,
  'encryption-keys': 1,
  clock: 1,
};
export type Kind = keyof typeof WEIGHTS;
export const KINDS = Object.keys(WEIGHTS) as Kind[];

export const DATABASE_FAULTS = ['cut', 'stall', 'drop', 'restart'] as const;
export const PROVIDER_FAULTS = [
  'fails',
  'limits',
  'hangs',
  'loses-answers',
  'cut',
  'stall',
  'slow',
  'rotates-signing-keys',
] as const;
/** Where a refresh is while something else happens: held at the provider before or after it has been processed, or anywhere. */
export const MOMENTS = ['request', 'answer', 'any'] as const;

/** One step of a run. Everything is drawn for every step, whether it needs it or not: what a seed draws does not depend on what happens. */
export interface Step {
  number: number;
  kind: Kind;
  /** Whose accounts, as positions. */
  users: number[];
  /** How many read each of them at once. */
  readers: number;
  /** The replica that something happens to. */
  replica: number;
  /** Whether all replicas lose the database, and other twofold choices. */
  wide: boolean;
  moment: (typeof MOMENTS)[number];
  databaseFault: (typeof DATABASE_FAULTS)[number];
  providerFault: (typeof PROVIDER_FAULTS)[number];
  /** Whether the access tokens that have to be refreshed can still be served meanwhile. */
  stillValid: boolean;
  /** How long the fault lasts, or how late it comes. */
  afterMs: number;
  /** How many requests fail. */
  times: number;
}

export function drawStep(draws: Draws, number: number, { users, replicas }: { users: number; replicas: number }): Step {
  const kind = draws.weighted(WEIGHTS);
  const count = draws.between(1, 3);
  const drawn = Array.from({ length: 3 }, () => draws.between(0, users - 1));
  return {
    number,
    kind,
    users: [...new Set(drawn.slice(0, count))],
    readers: draws.between(2, 8),
    replica: draws.between(0, replicas - 1),
    wide: draws.next() < 0.5,
    moment: draws.oneOf(MOMENTS),
    databaseFault: draws.oneOf(DATABASE_FAULTS),
    providerFault: draws.oneOf(PROVIDER_FAULTS),
    stillValid: draws.next() < 0.4,
    afterMs: draws.between(0, 600),
    times: draws.between(1, 3),
  };
}

/** As it is printed, with what matters to its kind. */
export function inWords(step: Step): string {
  const { number, kind, users, readers, replica, wide, moment, databaseFault, providerFault, afterMs, times } = step;
  const details: Record<Kind, string> = {
    read: '',
    expire: '',
    unlink: `${wide ? 'by an administrator' : 'by its user'}, ${moment}`,
    relink: moment,
    kill: `replica ${replica}, ${moment}, after ${afterMs} ms`,
    database: `${databaseFault} of ${wide ? 'all' : `replica ${replica}`}, ${moment}, for ${afterMs} ms`,
    provider: `${providerFault}, ${times} times or for ${afterMs} ms`,
    'encryption-keys': wide ? 'by stopping' : 'by killing',
    clock: `of replica ${replica}`,
  };
  const validity = step.stillValid ? 'still valid' : 'expired';
  return `${number}. ${kind} ${details[kind]} (accounts ${users.join(' ')}, ${validity}, ${readers} readers)`;
}
