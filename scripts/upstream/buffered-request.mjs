import { IncomingMessage } from 'node:http';

/** More than any request of a test; a runaway body must not fill the memory. */
const BODY_LIMIT_BYTES = 256 * 1024;

/**
 * A request whose body has been read and can be read once more, so that we may count and record token requests without
 * oidc-provider noticing (it insists on reading the stream itself).
 */
class BufferedRequest extends IncomingMessage {
  constructor(original, body) {
    super(original.socket);
    this.httpVersion = original.httpVersion;
    this.httpVersionMajor = original.httpVersionMajor;
    this.httpVersionMinor = original.httpVersionMinor;
    this.method = original.method;
    this.url = original.url;
    this.rawHeaders = original.rawHeaders;
    this.headers = original.headers;
    this.complete = true;
    this.form = new URLSearchParams(body.toString('utf8'));
    this.push(body);
    this.push(null);
  }

  _read() {
    // Everything was pushed at once; the socket must not be touched again.
  }
}

/** @param {IncomingMessage} request */
export async function bufferRequest(request) {
  const chunks = [];
  let received = 0;
  for await (const chunk of request) {
    received += chunk.length;
    if (received > BODY_LIMIT_BYTES) throw new Error('request body too large');
    chunks.push(chunk);
  }
  return new BufferedRequest(request, Buffer.concat(chunks));
}
