import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import express, { type Response } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { answerLines } from '../../../src/admin/ndjson.js';

const CHUNK = `${'x'.repeat(65_535)}\n`;
/** More than any socket's buffers take. */
const MANY = 4_000;

describe('an answer that is generated line by line', () => {
  let server: Server;
  let answering: Response;
  let taken = 0;
  let ended = false;
  let failure: unknown;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function* chunks(count: number, failAt = Infinity): AsyncGenerator<string> {
    try {
      for (taken = 0; taken < count; taken += 1) {
        if (taken === failAt) throw new Error('the database is away');
        await turn();
        yield CHUNK;
      }
    } finally {
      ended = true;
    }
  }

  async function serve(generate: () => AsyncGenerator<string>): Promise<{ port: number; path: string }> {
    ended = false;
    failure = undefined;
    const app = express();
    app.use((_request, response) => {
      answering = response;
      answerLines(response, generate()).catch((error: unknown) => {
        failure = error;
        response.destroy();
      });
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, path: '/' };
  }

  it('waits for a reader who is slow, and goes on with them', async () => {
    const answer = await ask(await serve(() => chunks(MANY)));
    expect(answer.headers['content-type']).toBe('application/x-ndjson');
    await expect.poll(() => answering.writableNeedDrain).toBe(true);
    // Whoever does not wait would take all of it in as many turns.
    for (let turns = 0; turns < MANY; turns += 1) await turn();
    expect(taken).toBeLessThan(MANY / 4);
    let length = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) length += chunk.length;
    expect(length).toBe(MANY * CHUNK.length);
    expect(ended).toBe(true);
  });

  it('ends when the reader hangs up, which is no failure', async () => {
    const answer = await ask(await serve(() => chunks(MANY)));
    answer.destroy();
    await expect.poll(() => ended).toBe(true);
    expect(taken).toBeLessThan(MANY);
    expect(failure).toBeUndefined();
  });

  it('is cut off where it fails on the way, and cannot be taken for a complete one', async () => {
    const answer = await ask(await serve(() => chunks(MANY, 10)));
    await expect(text(answer)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(answer.complete).toBe(false);
    expect(failure).toMatchObject({ message: 'the database is away' });
  });

  it('has not begun where it fails at once, so that the failure can still be told', async () => {
    const at = await serve(() => chunks(MANY, 0));
    await expect(ask(at)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(answering.headersSent).toBe(false);
    expect(failure).toMatchObject({ message: 'the database is away' });
  });

  it('is empty where there is nothing, and generates no more than the beginning for HEAD', async () => {
    const nothing = await ask(await serve(() => chunks(0)));
    expect([nothing.statusCode, await text(nothing)]).toEqual([200, '']);
    server.close();
    const head = await ask({ ...(await serve(() => chunks(MANY))), method: 'HEAD' });
    expect([head.statusCode, await text(head)]).toEqual([200, '']);
    expect(taken).toBeLessThan(2);
    expect(ended).toBe(true);
  });
});

const ask = async (at: { port: number; path: string; method?: string }): Promise<IncomingMessage> => {
  const [answer] = (await once(send({ host: '127.0.0.1', ...at }).end(), 'response')) as [IncomingMessage];
  return answer;
};
