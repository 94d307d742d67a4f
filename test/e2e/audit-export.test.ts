import { once } from 'node:events';
import { request as send, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { createWorld, type World } from '../support/world.js';

const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const AUTHORIZATION = { authorization: `Bearer ${ADMIN_API_KEY}` };
/** More than sockets take before somebody reads: some twenty megabytes. */
const MANY = 60_000;

type Entry = Record<string, string>;

const linesOf = (text: string): Entry[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);

describe.each(databases)('exporting the audit log on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { ADMIN_API_KEY } });
  });
  afterAll(() => world.stop());

  const ask = (path: string): Promise<BrowserResponse> =>
    world.request(`/admin/audit${path}`, { headers: AUTHORIZATION });
  /** An answer of which nothing is read yet. */
  const open = async (path: string): Promise<IncomingMessage> => {
    const asked = send(`${world.service.url}/admin/audit${path}`, { headers: AUTHORIZATION }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer;
  };

  it('gives what the list gives, the oldest first, and is written down itself', async () => {
    await world.signIn({ login: 'alice' });
    await world.signIn({ login: 'bob' });
    const answer = await ask('/export');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.text().endsWith('\n')).toBe(true);
    const exported = linesOf(answer.text());
    const { data } = (await ask('?limit=100')).json<{ data: Entry[] }>();
    const [own, ...before] = data;
    expect(own).toMatchObject({ event: 'audit.exported', outcome: 'success', actor: 'admin-api-key' });
    expect(exported.map(({ at }) => at)).toEqual(before.map(({ at }) => at).toReversed());
    expect(new Set(exported.map((entry) => JSON.stringify(entry)))).toEqual(
      new Set(before.map((entry) => JSON.stringify(entry))),
    );
  });

  it('filters as the list does, and knows no parts', async () => {
    const all = linesOf((await ask('/export')).text());
    const bob = all.findLast(({ event }) => event === 'token.issued')?.['user_id'];
    const ofBob = linesOf((await ask(`/export?user_id=${bob}&event=token.issued`)).text());
    expect(ofBob).toMatchObject([{ event: 'token.issued', client_id: 'reader' }]);
    expect((await ask('/export?to=2020-01-01')).text()).toBe('');
    for (const query of ['limit=1', 'offset=1', 'from=yesterday', 'format=csv']) {
      expect((await ask(`/export?${query}`)).status).toBe(400);
    }
    expect((await world.request('/admin/audit/export')).status).toBe(401);
  });

  it('takes as long as its reader does; one that cannot be finished is no complete answer', async () => {
    await world.database.query(
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${MANY})
       INSERT INTO audit_events (id, at, event, outcome, reason)
       SELECT 'seeded-' || n, 1000 + n / 7, 'token.issued', 'success', 'one of many rows, all of them of some length'
       FROM numbers`,
    );
    const whole = await open('/export?to=2000-01-01');
    let text = '';
    for await (const chunk of whole.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
    expect(whole.complete).toBe(true);
    expect(new Set(linesOf(text).map(({ id }) => id)).size).toBe(MANY);

    const cut = await open('/export?to=2000-01-01');
    await world.database.query('ALTER TABLE audit_events RENAME TO out_of_reach');
    try {
      let received = 0;
      const reading = (async () => {
        for await (const chunk of cut as AsyncIterable<Buffer>) received += chunk.length;
      })();
      await expect(reading).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(cut.complete).toBe(false);
      expect(received).toBeLessThan(text.length);
    } finally {
      await world.database.query('ALTER TABLE out_of_reach RENAME TO audit_events');
    }

    const left = await open('/export?to=2000-01-01');
    left.destroy();
    expect((await ask('?limit=1')).status).toBe(200);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
