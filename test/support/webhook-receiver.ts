import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';

/** One request as it came. */
export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
  event: { id: string; type: string; timestamp: string; data: Record<string, unknown> };
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** What the receiver makes of a request; a promise that does not settle is a receiver that hangs. */
type Behaviour = (received: Received) => Answer | Promise<Answer>;

const ACCEPTED: Answer = { status: 204 };

/** Somebody else's server: it listens on several paths, each with a behaviour of its own, and keeps what it gets. */
export interface WebhookReceiver {
  url: (path: string) => string;
  /** In the order in which it came. */
  received: (path: string) => Received[];
  /** Until it is told otherwise it accepts everything. */
  behave: (path: string, behaviour: Behaviour | undefined) => void;
  everything: () => string;
  stop: () => Promise<void>;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const all: Received[] = [];
  const behaviours = new Map<string, Behaviour>();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const path = request.url ?? '';
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const event = (body === '' ? {} : JSON.parse(body)) as Received['event'];
    const received = { path, headers, body, event };
    all.push(received);
    const answer = await (behaviours.get(path) ?? (() => ACCEPTED))(received);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    received: (path) => all.filter((one) => one.path === path),
    behave: (path, behaviour) => {
      if (behaviour) behaviours.set(path, behaviour);
      else behaviours.delete(path);
    },
    everything: () => JSON.stringify(all),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** As the unmodified library for receivers does it. @throws where the signature, or the time, is not right */
export function verify({ body, headers }: Received, secret: string): unknown {
  return new Webhook(secret).verify(body, headers);
}
