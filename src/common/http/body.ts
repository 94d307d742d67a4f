import { AsyncResource } from 'node:async_hooks';
import { isUtf8 } from 'node:buffer';
import type { NextFunction, Request, Response } from 'express';
import { DomainError } from '../domain-error.js';
import { FormBody } from './form.js';

const MAX_BODY_BYTES = 65_536;
/** Whoever still sends what was refused has so long to read why. */
const SENDING_AFTER_ANSWER_MS = 2_000;
const FORM = 'application/x-www-form-urlencoded';
/** What clients call the ASCII that a form is in, whatever its escapes stand for (UTF-8). @see RFC 6749 appendix B */
const ASCII_COMPATIBLE = new Set(['utf-8', 'us-ascii', 'iso-8859-1']);

/**
 * Reads JSON and forms, each in UTF-8, and leaves every other body to whoever knows its type. One that is too large is
 * refused by what it says of itself, or at its first byte too many: Express's own parsers read to the end what they refuse.
 */
export function readBody(request: Request, response: Response, next: NextFunction): void {
  response.once('finish', () => endUnfinished(request));
  const type = request.is(['json', '+json', FORM]);
  if (typeof type !== 'string') {
    next();
    return;
  }
  const refused = refusal(request);
  if (refused) {
    next(refused);
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const settle = (error?: DomainError): void => {
    request.off('data', take).off('end', finish).off('close', breakOff);
    next(error);
  };
  // The events of a socket know nothing of the request that they belong to: its id, for instance.
  const take = AsyncResource.bind((chunk: Buffer): void => {
    size += chunk.length;
    chunks.push(chunk);
    if (size <= MAX_BODY_BYTES) return;
    request.pause();
    // Whoever is still sending gets to read the answer, and the connection is free for the next request.
    response.once('finish', () => request.resume());
    settle(tooLarge());
  });
  const finish = AsyncResource.bind((): void => {
    try {
      request.body = parse(type, Buffer.concat(chunks, size));
    } catch {
      settle(malformed());
      return;
    }
    settle();
  });
  const breakOff = AsyncResource.bind((): void => settle(malformed()));
  request.on('data', take).once('end', finish).once('close', breakOff);
}

/** A body that was refused is not read for ever. */
function endUnfinished(request: Request): void {
  if (request.complete) return;
  const end = setTimeout(() => {
    // By now the connection may serve another request.
    if (!request.complete) request.socket.destroy();
  }, SENDING_AFTER_ANSWER_MS).unref();
  request.once('close', () => clearTimeout(end));
}

/** Why a body is not even looked at. Nobody compresses a request of a few hundred bytes, save to have it unpacked. */
function refusal({ headers }: Request): DomainError | undefined {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return new DomainError('request.unsupported-media-type', { publicDetail: 'The body must not be compressed.' });
  }
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !ASCII_COMPATIBLE.has(charset.toLowerCase())) {
    return new DomainError('request.unsupported-media-type', { publicDetail: 'The body must be in UTF-8.' });
  }
  return Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES ? tooLarge() : undefined;
}

function parse(type: string, bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new TypeError('not UTF-8');
  const text = bytes.toString('utf8');
  if (type === FORM) return new FormBody(text);
  return text === '' ? {} : (JSON.parse(text) as unknown);
}

function tooLarge(): DomainError {
  return new DomainError('request.too-large', { meta: { limit: MAX_BODY_BYTES } });
}

function malformed(): DomainError {
  return new DomainError('request.malformed', { publicDetail: 'The request body could not be parsed.' });
}
