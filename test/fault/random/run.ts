import { setTimeout as delay } from 'node:timers/promises';
import { encryptionKeys } from '../../support/service.js';
import {
  endBackOff,
  holdNextAnswer,
  linkedAccount,
  read,
  setRemaining,
  type FaceName,
  type HeldAnswer,
} from '../../support/vault.js';
import { PROVIDER, READ_SCOPE, type World } from '../../support/world.js';
import { ADMIN_KEY } from '../support/cluster.js';
import { expectPromisesKept } from '../support/promises.js';
import { stepClock } from '../support/skewed-clock.js';
import type { Draws } from './draws.js';
import type { Fleet } from './fleet.js';
import { Model, type Circumstances, type Read, type User } from './model.js';
import { drawStep, inWords, type Kind, type Step } from './plan.js';

const USERS = 6;
const UNLINK_SCOPE = 'user:federated-identity:delete';
/** Everybody is served again so soon after the last fault: a dead holder's lease is the longest that anything waits. */
const SERVED_AGAIN_WITHIN_MS = 40_000;
const HELD_WITHIN_MS = 3_000;
const POLL_MS = 100;
/** So soon after an unknown key a provider may be asked for its keys again. */
const KEYS_KEPT_MS = 5_500;
/** Fresh enough that nobody would refresh it. */
const FRESH_MS = 600_000;

export interface Tally {
  steps: Partial<Record<Kind, number>>;
  reads: number;
  statuses: Record<string, number>;
  redemptions: number;
  reused: number;
  kills: number;
  restarts: number;
  databaseFaults: number;
  providerFaults: number;
  lost: number;
  violations: string[];
  log: string[];
}

/** A run: one step after another, each with its own concurrency, and after each of them everything is looked at. */
export class Run {
  readonly tally: Tally = {
    steps: {},
    reads: 0,
    statuses: {},
    redemptions: 0,
    reused: 0,
    kills: 0,
    restarts: 0,
    databaseFaults: 0,
    providerFaults: 0,
    lost: 0,
    violations: [],
    log: [],
  };
  readonly #users: User[] = Array.from({ length: USERS }, (_, index) => ({
    login: `walker${index}`,
    token: '',
    state: 'unlinked',
    linked: { atLeast: 0, perhaps: 0 },
    unlinked: { atLeast: 0, perhaps: 0 },
  }));
  readonly #model: Model;
  /** Where a change of encryption keys has come to. */
  #keyChange: 'none' | 'known' | 'first' | 'rewrapped' = 'none';
  #keys = 1;

  constructor(
    private readonly fleet: Fleet,
    private readonly draws: Draws,
    { hasGrace }: { hasGrace: boolean },
  ) {
    this.#model = new Model(fleet.world, this.#users, hasGrace);
  }

  /** Steps until the time is over or a promise is broken. */
  async for(seconds: number, onStep: (line: string) => void = () => undefined): Promise<Tally> {
    for (const user of this.#users) await this.#link(user);
    const deadline = performance.now() + seconds * 1000;
    for (let number = 1; performance.now() < deadline && this.tally.violations.length === 0; number += 1) {
      const step = drawStep(this.draws, number, { users: USERS, replicas: this.fleet.replicas.length });
      const line = inWords(step);
      this.tally.log.push(line);
      onStep(line);
      this.tally.steps[step.kind] = (this.tally.steps[step.kind] ?? 0) + 1;
      try {
        await this.#take(step);
      } catch (error) {
        this.#model.violated(
          `the step failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }
      this.tally.violations.push(...this.#model.violations.map((what) => `step ${number}: ${what}`));
    }
    const seen = this.fleet.world.upstream.refreshTokensSeen;
    this.tally.redemptions = seen.length;
    this.tally.reused = seen.length - new Set(seen).size;
    return this.tally;
  }

  async #take(step: Step): Promise<void> {
    const users = this.#users.filter((_, index) => step.users.includes(index));
    for (const user of users) if (user.state !== 'linked') await this.#link(user);
    this.#model.judgeRedemptions({});
    const going = await this.#doing[step.kind](step, users);
    await this.#settle(going);
    await expectPromisesKept(this.fleet.world, { unavoidable: this.#model.unavoidable });
    await this.#model.judgeAudit();
  }

  readonly #doing: Record<Kind, (step: Step, users: readonly User[]) => Promise<Circumstances>> = {
    read: async ({ readers }, users) => {
      await this.#readAll(users, readers, {});
      this.#model.judgeRedemptions({}, 0);
      return {};
    },

    expire: async (step, users) => {
      await this.#expire(users, step);
      await this.#readAll(users, step.readers, {});
      await this.#idle(users);
      this.#model.judgeRedemptions({}, users.length);
      return {};
    },

    unlink: async (step, users) => {
      const [leaving, ...others] = first(users);
      const going = { changing: [leaving] };
      await this.#expire(users, step);
      await this.#during(step, users, going, () => this.#unlink(leaving, step.wide));
      await this.#readAll(others, 1, going);
      await this.#readAll([leaving], step.readers, {});
      return going;
    },

    relink: async (step, users) => {
      const [returning] = first(users);
      const going = { changing: [returning] };
      await this.#expire(users, step);
      await this.#during(step, users, going, () => this.#link(returning));
      return going;
    },

    kill: async (step, users) => {
      const going = { down: step.replica };
      await this.#expire(users, step);
      await this.#during(step, users, going, async () => {
        await delay(step.afterMs / 4);
        await this.#replica(step.replica).kill();
        this.tally.kills += 1;
      });
      await this.#restart(step.replica, 'kill');
      return going;
    },

    database: async (step, users) => {
      const going = { database: true };
      await this.#expire(users, step);
      let restore = nothing;
      await this.#during(
        step,
        users,
        going,
        async () => {
          restore = await this.fleet.breakDatabase(step);
          this.tally.databaseFaults += 1;
        },
        async () => {
          await delay(step.afterMs);
          await restore();
        },
      );
      return going;
    },

    provider: async (step, users) => {
      const going = { provider: true };
      await this.#expire(users, step);
      this.tally.providerFaults += 1;
      const lift = await this.#breakProvider(step);
      const reading = this.#readAll(users, step.readers, going);
      await delay(step.afterMs);
      await lift();
      await reading;
      this.fleet.world.upstream.forgetScript();
      return going;
    },

    'encryption-keys': async (step, users) => {
      await this.#changeKeys(step.wide ? 'stop' : 'kill', users);
      return {};
    },

    clock: async (step, users) => {
      await this.#expire(users, step);
      await stepClock(this.#replica(step.replica).service());
      await this.#readAll(users, step.readers, {});
      await this.#idle(users);
      this.#model.judgeRedemptions({}, users.length);
      return {};
    },
  };

  /** Does something while a refresh that the step's replica began is where the step says, and many read. */
  async #during(
    { moment, replica, readers }: Step,
    users: readonly User[],
    going: Circumstances,
    act: () => Promise<void>,
    afterwards = nothing,
  ): Promise<void> {
    const { world } = this.fleet;
    const held = hold(world, moment);
    const leading = this.#readAll(users, 1, going, replica);
    await Promise.race([held.reached, delay(HELD_WITHIN_MS)]);
    const others = this.#readAll(users, readers, going);
    // Who signs in asks the same endpoint.
    if (moment === 'request' && going.changing) held.release();
    await act();
    held.release();
    await afterwards();
    await Promise.all([leading, others]);
    world.upstream.forgetScript();
  }

  async #breakProvider({ providerFault, times, afterMs }: Step): Promise<() => Promise<void>> {
    const { provider, world } = this.fleet;
    const { upstream } = world;
    const pass = (): Promise<void> => provider.pass();
    switch (providerFault) {
      case 'fails':
        upstream.failNext(times, { status: 500 });
        return pass;
      case 'limits':
        upstream.failNext(times, { status: 429, headers: { 'retry-after': '1' } });
        return pass;
      case 'hangs':
        upstream.failNext(times, { hang: true });
        return pass;
      case 'loses-answers':
        upstream.failNext(times, { afterProcessing: true, reset: true });
        return pass;
      case 'slow':
        upstream.setLatency(afterMs);
        return () => Promise.resolve(upstream.setLatency(0));
      case 'rotates-signing-keys':
        await upstream.rotateSigningKeys();
        return pass;
      default:
        await provider[providerFault]();
        return pass;
    }
  }

  /** One stage of a change that loses nothing: make the new key known, then first, wrap everything anew, forget the old one. */
  async #changeKeys(how: 'stop' | 'kill', users: readonly User[]): Promise<void> {
    const { ENCRYPTION_KEYS: keys = '' } = this.#replica(0).service().settings.env ?? {};
    const [current = '', other = ''] = keys.split(',');
    switch (this.#keyChange) {
      case 'none':
        this.#keys += 1;
        await this.#restartAll(how, { ENCRYPTION_KEYS: `${current},${encryptionKeys(`k${this.#keys}`)}` }, users);
        this.#keyChange = 'known';
        return;
      case 'known':
        await this.#restartAll(how, { ENCRYPTION_KEYS: `${other},${current}` }, users);
        this.#keyChange = 'first';
        return;
      case 'first':
        if (await this.#rewrap(users)) this.#keyChange = 'rewrapped';
        return;
      case 'rewrapped':
        await this.#restartAll(how, { ENCRYPTION_KEYS: current }, users);
        this.#keyChange = 'none';
    }
  }

  /** False where this release cannot. */
  async #rewrap(users: readonly User[]): Promise<boolean> {
    const { world } = this.fleet;
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const asked = await world.request('/admin/encryption-keys/rewrap', { method: 'POST', headers });
    if (asked.status !== 202) return false;
    const id = (world.service.settings.env?.['ENCRYPTION_KEYS'] ?? '').replace(/:.*$/, '');
    const left = async (): Promise<number> => {
      const tables = ['linked_accounts', 'outbox_messages', 'signing_keys', 'identity_providers'];
      let rows = 0;
      for (const table of tables) {
        const [row] = await world.database.query(
          `SELECT count(*) AS n FROM ${table} WHERE encryption_key_id IS NOT NULL AND encryption_key_id <> ?`,
          [id],
        );
        rows += Number(row?.['n']);
      }
      return rows;
    };
    const deadline = performance.now() + SERVED_AGAIN_WITHIN_MS;
    while ((await left()) > 0) {
      if (performance.now() > deadline) throw new Error('rows are left under the old encryption key');
      await this.#expire(users, { stillValid: false });
      await this.#readAll(users, 2, {});
    }
    return true;
  }

  /** One after another, while the others are read. */
  async #restartAll(how: 'stop' | 'kill', env: Record<string, string>, users: readonly User[]): Promise<void> {
    for (const index of this.fleet.replicas.keys()) {
      const going = { down: index };
      await this.#expire(users, { stillValid: true });
      await Promise.all([this.#readAll(users, 3, going), this.#restart(index, how, env)]);
      await this.#settle(going);
    }
  }

  #replica(index: number): Fleet['replicas'][number] {
    const replica = this.fleet.replicas[index];
    if (!replica) throw new Error(`there is no replica ${index}`);
    return replica;
  }

  async #restart(index: number, how: 'stop' | 'kill', env: Record<string, string> = {}): Promise<void> {
    await this.#replica(index).restart(how, env);
    this.tally.restarts += 1;
  }

  /** Their access tokens are over, here and at the provider, or will be soon. */
  async #expire(users: readonly User[], { stillValid }: Pick<Step, 'stillValid'>): Promise<void> {
    const { world } = this.fleet;
    for (const { login } of users) {
      if (!stillValid) world.upstream.expireAccessTokens(login);
      await setRemaining(world, login, stillValid ? 100 : -1);
    }
  }

  /** Signing in links, or links again. */
  async #link(user: User): Promise<void> {
    user.linked.perhaps += 1;
    const token = await this.#signIn(user.login);
    user.linked.perhaps -= 1;
    user.linked.atLeast += 1;
    user.token = token;
    user.state = 'linked';
  }

  /** A provider that has changed its keys twice in a moment is not asked for them twice: the user is told to try again, and does. */
  async #signIn(login: string): Promise<string> {
    const signIn = async () => {
      const answer = await this.fleet.world.signIn({ login, scope: `${READ_SCOPE} ${UNLINK_SCOPE}` });
      return answer.access_token;
    };
    try {
      return await signIn();
    } catch (error) {
      if (!/: (403|503) <!doctype/.test(String(error))) throw error;
      await delay(KEYS_KEPT_MS);
      return signIn();
    }
  }

  async #unlink(user: User, byAdministrator: boolean): Promise<void> {
    const { world } = this.fleet;
    const { user_id: id } = await linkedAccount(world, user.login);
    const [path, token] = byAdministrator
      ? [`/admin/users/${String(id)}/identities/${PROVIDER}`, ADMIN_KEY]
      : [`/federated-identities/${PROVIDER}`, user.token];
    const { status } = await world.request(path, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
    if (status !== 204) this.#model.violated(`unlinking ${user.login} was answered with ${status}`);
    user.unlinked.atLeast += 1;
    user.state = 'unlinked';
  }

  /** So many readers of each at once, over both faces, at all replicas or at one. */
  async #readAll(users: readonly User[], readers: number, going: Circumstances, only?: number): Promise<void> {
    const { replicas } = this.fleet;
    await Promise.all(
      users.flatMap((user, offset) =>
        Array.from({ length: readers }, async (_, index) => {
          const face = (index + offset) % 2 === 0 ? 'pace' : 'onezone';
          this.#model.judge(await this.#read(user, only ?? (index + offset) % replicas.length, face), going);
        }),
      ),
    );
  }

  async #read(user: User, replica: number, face: FaceName): Promise<Read> {
    const { world } = this.fleet;
    const reading = await read(world, user.token, { face, at: this.#replica(replica).service() }).catch(
      () => undefined,
    );
    const holder = reading?.token === undefined ? undefined : world.upstream.holderOf(reading.token);
    this.tally.reads += 1;
    const status = String(reading?.status ?? 'none');
    this.tally.statuses[status] = (this.tally.statuses[status] ?? 0) + 1;
    return { user, replica, face, reading, holder };
  }

  /** Waits until no refresh of these is under way. */
  async #idle(users: readonly User[]): Promise<void> {
    const deadline = performance.now() + SERVED_AGAIN_WITHIN_MS;
    for (const { login } of users) {
      while ((await linkedAccount(this.fleet.world, login))['lease_owner'] !== null) {
        if (performance.now() > deadline) throw new Error(`the lease on ${login} does not end`);
        await delay(POLL_MS);
      }
    }
  }

  /** Lifts all faults, has all pauses pass, and waits until every account is what the model says at every replica. */
  async #settle(going: Circumstances): Promise<void> {
    await this.fleet.heal();
    const deadline = performance.now() + SERVED_AGAIN_WITHIN_MS;
    for (const user of this.#users) {
      while (!(await this.#isSettled(user, going))) {
        if (performance.now() > deadline) {
          const {
            reason,
            status,
            lease_owner: lease,
            retry_at: retryAt,
          } = await linkedAccount(this.fleet.world, user.login);
          throw new Error(
            `${user.login} is not what the model says (${user.state}): ${JSON.stringify({ reason, status, lease, retryAt })}`,
          );
        }
        await endBackOff(this.fleet.world);
        await delay(POLL_MS);
      }
    }
    this.#model.judgeRedemptions(going);
  }

  async #isSettled(user: User, going: Circumstances): Promise<boolean> {
    for (const index of this.fleet.replicas.keys()) {
      for (const face of ['pace', 'onezone'] as const) {
        const answer = await this.#read(user, index, face);
        if (answer.reading === undefined || answer.reading.status >= 500) return false;
        if (answer.reading.status !== 200) {
          const before = user.state;
          await this.#model.agreeWithRow(user, going);
          if (before !== 'lost' && user.state === 'lost') this.tally.lost += 1;
        }
        // A provider without a grace period ends a token that is served here still, when it is shown a spent one.
        this.#model.judge(answer, going);
      }
    }
    await this.#model.agreeWithRow(user, going);
    const row = await linkedAccount(this.fleet.world, user.login);
    if (user.state !== 'linked') return true;
    return row['lease_owner'] === null && Number(row['expires_at']) > Date.now() + FRESH_MS;
  }
}

const nothing = (): Promise<void> => Promise.resolve();

function first(users: readonly User[]): [User, ...User[]] {
  const [user, ...others] = users;
  if (!user) throw new Error('a step has at least one user');
  return [user, ...others];
}

/** Keeps a refresh at the provider. */
function hold(world: World, moment: Step['moment']): HeldAnswer {
  const { upstream } = world;
  if (moment === 'answer') return holdNextAnswer(world);
  if (moment === 'request') upstream.withhold('request');
  const reached = moment === 'request' ? upstream.waitForTokenRequest() : Promise.resolve();
  return { reached, release: () => upstream.release() };
}
