import type { Row } from '../../support/databases.js';
import { linkedAccount, type FaceName, type Reading } from '../../support/vault.js';
import { PROVIDER, type World } from '../../support/world.js';
import { reused } from '../support/promises.js';

/** What the model says of an account. `unknown`: the answer was lost, so that only the database can tell. */
type State = 'linked' | 'unlinked' | 'lost' | 'unknown';

export interface User {
  login: string;
  /** Our access token. */
  token: string;
  state: State;
  /** How often it was linked and unlinked for sure, and how often perhaps. */
  linked: { atLeast: number; perhaps: number };
  unlinked: { atLeast: number; perhaps: number };
}

/** What goes wrong, or is changed, while somebody reads. */
export interface Circumstances {
  provider?: boolean;
  database?: boolean;
  /** Which process is not there, or was not for a while. */
  down?: number | undefined;
  /** Whose link changes meanwhile. */
  changing?: readonly User[];
}

/** One answer to one reader. */
export interface Read {
  user: User;
  replica: number;
  face: FaceName;
  /** Nothing where the connection ended without an answer. */
  reading: Reading | undefined;
  /** Whose token it was when it was handed out, by the provider's own books. */
  holder: string | undefined;
}

/** What must be true, whatever happened. Every line of `violations` is a promise that was broken. */
export class Model {
  readonly violations: string[] = [];
  /** By refresh token: whether each time that it was presented something kept the answer from being stored. */
  readonly #presented = new Map<string, { unavoidable: boolean }[]>();
  #seen = 0;

  constructor(
    private readonly world: World,
    readonly users: readonly User[],
    /** Whether the provider takes a refresh token again whose answer was lost. */
    private readonly hasGrace: boolean,
  ) {}

  violated(what: string): void {
    this.violations.push(what);
  }

  /** Judges one answer by what the model says now and by what was going on. */
  judge({ user, replica, face, reading, holder }: Read, going: Circumstances): void {
    const where = `${face} at replica ${replica} for ${user.login} (${user.state})`;
    if (!reading) {
      if (going.down !== replica) this.violated(`no answer: ${where}`);
      return;
    }
    const { status, token, retryAfter } = reading;
    const changes = going.changing?.includes(user) === true;
    const unlinked = face === 'pace' ? 401 : 404;
    const away = face === 'pace' ? 500 : 503;
    if (status === 200) {
      if (token === undefined || (reading.secondsLeft ?? 0) < 1) this.violated(`an empty or expired answer: ${where}`);
      else if (holder !== user.login && !(holder === undefined && (changes || this.#mayLose(going)))) {
        this.violated(`a token of ${holder ?? 'nobody, or an expired one'}: ${where}`);
      }
      if (user.state !== 'linked' && user.state !== 'unknown' && !changes)
        this.violated(`served all the same: ${where}`);
    } else if (status === unlinked) {
      if (user.state === 'linked' && !changes && !this.#mayLose(going)) this.violated(`not served: ${where}`);
    } else if (status === away && Number(retryAfter) > 0) {
      const disturbed = going.provider === true || going.database === true || going.down !== undefined;
      if (!disturbed) this.violated(`told to wait though nothing was wrong: ${where}`);
    } else {
      this.violated(`status ${status}, Retry-After ${retryAfter}: ${where}`);
    }
  }

  /** Without a grace period whatever keeps an answer from being stored may cost the account. */
  #mayLose(going: Circumstances): boolean {
    return !this.hasGrace && disturbs(going);
  }

  /** What the provider saw since it was last looked at. */
  judgeRedemptions(going: Circumstances, expected?: number): void {
    const seen = this.world.upstream.refreshTokensSeen.slice(this.#seen);
    this.#seen += seen.length;
    for (const token of seen) {
      const times = this.#presented.get(token) ?? [];
      if (times.some(({ unavoidable }) => !unavoidable))
        this.violated('a refresh token was redeemed twice without need');
      times.push({ unavoidable: disturbs(going) });
      this.#presented.set(token, times);
    }
    if (expected !== undefined && seen.length !== expected) {
      this.violated(`${seen.length} redemptions for ${expected} expiries`);
    }
  }

  /** For `expectPromisesKept`. */
  get unavoidable(): string[] {
    return reused(this.world).filter((token) =>
      this.#presented
        .get(token)
        ?.slice(0, -1)
        .every(({ unavoidable }) => unavoidable),
    );
  }

  /** Agrees with the row on what only the row can know, and objects where it says what cannot be. */
  async agreeWithRow(user: User, going: Circumstances): Promise<void> {
    const row = await linkedAccount(this.world, user.login);
    const state = stateOf(row);
    if (user.state === 'unknown' && state !== 'lost') user.state = state;
    if (state === user.state) return;
    if (state !== 'lost' || user.state === 'unlinked' || !this.#mayLose(going) || row['reason'] !== 'rotation_lost') {
      this.violated(`the row of ${user.login} says ${state} (${String(row['reason'])}) instead of ${user.state}`);
    }
    user.state = state;
  }

  /** Every link and every unlinking is in the audit, and nothing that did not happen. */
  async judgeAudit(): Promise<void> {
    const rows = await this.world.database.query(
      `SELECT account.subject, event, count(*) AS times FROM audit_events
       JOIN (SELECT DISTINCT subject, user_id FROM linked_accounts WHERE identity_provider = ?) account
       ON account.user_id = audit_events.user_id
       WHERE event IN ('identity.linked', 'identity.unlinked') AND outcome = 'success' GROUP BY account.subject, event`,
      [PROVIDER],
    );
    const times = new Map(
      rows.map(({ subject, event, times: count }) => [`${String(subject)} ${String(event)}`, Number(count)]),
    );
    for (const { login, linked, unlinked } of this.users) {
      for (const [event, { atLeast, perhaps }] of Object.entries({ linked, unlinked })) {
        const count = times.get(`${login} identity.${event}`) ?? 0;
        if (count < atLeast || count > atLeast + perhaps) {
          this.violated(
            `identity.${event} of ${login} is audited ${count} times instead of ${atLeast} to ${atLeast + perhaps}`,
          );
        }
      }
    }
  }
}

function disturbs({ provider, database, down }: Circumstances): boolean {
  return provider === true || database === true || down !== undefined;
}

function stateOf({ status }: Row): State {
  if (status === 'active') return 'linked';
  return status === 'reauthentication-required' ? 'lost' : 'unlinked';
}
