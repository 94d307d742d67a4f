import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';

/** @see https://github.com/ndjson/ndjson-spec */
export const NDJSON = 'application/x-ndjson';

/** A reader who takes nothing for so long is gone. */
const STALLED_MS = 120_000;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface Line {
  /** From 1, blank ones counted. */
  number: number;
  bytes: Buffer;
}

export function toLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/**
 * Answers with what is generated, as it comes: the next is asked for once the reader has taken the one before, and nothing
 * more once the reader has gone. What fails before the first has come is an error like any other; afterwards the
 * connection is cut, so that an answer that ends as HTTP says (RFC 9112 section 8) is a complete one.
 */
export async function answerLines(response: Response, chunks: AsyncGenerator<string>): Promise<void> {
  const first = await chunks.next();
  response.status(200).set({ 'Content-Type': NDJSON, 'Cache-Control': 'no-store' });
  if (response.req.method === 'HEAD') {
    await chunks.return(undefined);
    response.end();
    return;
  }
  // Where nothing is waiting to be taken, it is we who take our time.
  response.setTimeout(STALLED_MS, () => {
    if (response.writableNeedDrain) response.destroy();
  });
  try {
    await pipeline(resumed(first, chunks), response);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

async function* resumed(
  { done, value }: IteratorResult<string, unknown>,
  rest: AsyncGenerator<string>,
): AsyncGenerator<string> {
  try {
    if (done !== true) yield value;
    yield* rest;
  } finally {
    // A generator that was not begun passes nothing on.
    await rest.return(undefined);
  }
}

/**
 * The lines of a body, without those that are blank, each with its number. The whole body is read before any is looked at:
 * so whoever sends too much is refused before anything has come of it, and a slow answer does not make the
 * sender wait until the request times out. It is for guarded routes: no parser reads this type before the guard.
 * @throws DomainError `request.too-large`, `request.unsupported-media-type`, `request.malformed`
 */
export async function readLines(
  request: Request,
  { maxBytes, maxLines }: { maxBytes: number; maxLines: number },
): Promise<Line[]> {
  const encoded = (request.header('content-encoding') ?? 'identity').toLowerCase() !== 'identity';
  if (!request.is(NDJSON) || encoded) {
    throw new DomainError('request.unsupported-media-type', { publicDetail: `The body must be ${NDJSON}.` });
  }
  return linesIn(await readBody(request, maxBytes), maxLines);
}

async function readBody(request: Request, maxBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    new DomainError('request.too-large', {
      publicDetail: `The body is larger than ${maxBytes} bytes.`,
      meta: { limit: maxBytes },
    });
  if (Number(request.header('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Left as it is when we stop: the answer still has to go the way that the request came.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof DomainError ? error : new DomainError('request.malformed', { privateDetail: 'cut off' });
  } finally {
    // Whoever is refused may still be sending: a connection that nobody reads from would not even notice its end.
    request.resume();
  }
  return Buffer.concat(chunks, length);
}

function linesIn(body: Buffer, maxLines: number): Line[] {
  const lines: Line[] = [];
  for (let start = 0, number = 1; start < body.length; number += 1) {
    const newline = body.indexOf(NEWLINE, start);
    const end = newline === -1 ? body.length : newline;
    const bytes = body.subarray(start, body[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
    if (!isBlank(bytes)) lines.push({ number, bytes });
    if (lines.length > maxLines) {
      throw new DomainError('request.too-large', { publicDetail: `The body has more than ${maxLines} lines.` });
    }
    start = end + 1;
  }
  return lines;
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN);
}
