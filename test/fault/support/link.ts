import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const HOST = '127.0.0.1';

/** Seen from whoever connects: `up` are requests, `down` are answers. */
export type Direction = 'up' | 'down';

/** A sight of something in the bytes of one connection, after which that connection stands still. */
export interface Stop {
  /** Resolves when it has happened. */
  readonly reached: Promise<void>;
}

interface Trigger {
  text: string;
  /** Whether the sighted bytes still pass. */
  passes: boolean;
  reached: () => void;
}

/** One direction of one connection: bytes go on, or wait here while it is held. */
class Flow {
  readonly #waiting: Buffer[] = [];
  #held = false;
  #ended = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly onData: (chunk: Buffer) => 'pass' | 'pass-and-hold' | 'hold',
    private readonly endPasses: () => boolean,
  ) {
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.once('end', () => {
      this.#ended = true;
      this.#flush();
    });
    to.on('drain', () => from.resume());
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#flush();
  }

  #take(chunk: Buffer): void {
    const verdict = this.#held ? 'hold' : this.onData(chunk);
    this.#waiting.push(chunk);
    if (verdict !== 'hold') this.#flush();
    if (verdict !== 'pass') this.#held = true;
  }

  #flush(): void {
    if (this.#held || this.to.destroyed) return;
    for (const chunk of this.#waiting.splice(0)) if (!this.to.write(chunk)) this.from.pause();
    if (this.#ended && this.endPasses()) this.to.end();
  }
}

class Connection {
  readonly #up: Flow;
  readonly #down: Flow;
  held = false;

  constructor(
    readonly near: Socket,
    readonly far: Socket,
    private readonly link: Link,
  ) {
    this.#up = new Flow(
      near,
      far,
      (chunk) => link.look(this, chunk),
      () => !link.hidesDeaths,
    );
    this.#down = new Flow(
      far,
      near,
      () => 'pass',
      () => true,
    );
    // A cut makes both ends fail; that is what it is for.
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
    near.once('close', () => this.#closed(far));
    far.once('close', () => this.#closed(near));
  }

  hold(direction: Direction | 'both' = 'both'): void {
    this.held = true;
    if (direction !== 'down') this.#up.hold();
    if (direction !== 'up') this.#down.hold();
  }

  release(): void {
    this.held = false;
    this.#up.release();
    this.#down.release();
    if (this.near.destroyed || this.far.destroyed) this.destroy();
  }

  destroy(): void {
    this.near.destroy();
    this.far.destroy();
  }

  /** While it is held, or the dead are to stay unnoticed, the other end learns nothing. */
  #closed(other: Socket): void {
    if (!this.held && !(other === this.far && this.link.hidesDeaths)) other.destroy();
    if (other.destroyed) this.link.forget(this);
  }
}

/**
 * A wire to a server that can be cut, go silent, or keep the far end in the belief that a dead near end still lives.
 * Connections come and go as the two ends wish while it passes.
 */
export class Link {
  readonly #connections = new Set<Connection>();
  readonly #server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near));
  readonly #triggers = new Set<Trigger>();
  #targetPort: number | undefined;
  #stalled: Direction | 'both' | undefined;
  #peak = 0;
  port = 0;
  hidesDeaths = false;

  static async start(targetPort?: number): Promise<Link> {
    const link = new Link();
    link.#targetPort = targetPort;
    await link.#listen();
    return link;
  }

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  /** Where the far end is: for servers that have to know the link's address before they listen. */
  leadTo(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** The same address by way of this link. */
  through(url: string): string {
    const through = new URL(url);
    through.port = String(this.port);
    return through.href;
  }

  /** How many connections somebody alive at the near end has open. */
  get open(): number {
    return [...this.#connections].filter(({ near }) => !near.destroyed && !near.readableEnded).length;
  }

  /** How many connections the far end believes in. */
  get openAtFarEnd(): number {
    return [...this.#connections].filter(({ far }) => !far.destroyed).length;
  }

  /** The most that were open at once. */
  get peak(): number {
    return this.#peak;
  }

  /** Ends all connections and refuses new ones, until `pass()`. */
  async cut(): Promise<void> {
    this.drop();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  /** Ends all connections; new ones pass. */
  drop(): void {
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
  }

  /** Bytes wait, in connections open now and in new ones, until `pass()`. Nobody is told: sockets stay open. */
  stall(direction: Direction | 'both' = 'both'): void {
    this.#stalled = direction;
    for (const connection of this.#connections) connection.hold(direction);
  }

  /** Bytes wait in the connections that are open now, until `pass()`; new ones pass, also after a `stall()`. */
  freeze(): void {
    this.#stalled = undefined;
    for (const connection of this.#connections) connection.hold();
  }

  /** The far end does not learn that the near end is gone, until `pass()`. */
  hideDeaths(): void {
    this.hidesDeaths = true;
  }

  /** The connection that sends such a text upwards stands still before these bytes have passed. */
  stopBefore(text: string): Stop {
    return this.#stopAt(text, false);
  }

  /** The connection that sends such a text upwards stands still after these bytes: their answer never comes. */
  stopAfter(text: string): Stop {
    return this.#stopAt(text, true);
  }

  /** Everything is as at first; what waited goes on, and ends that died while it waited are buried. */
  async pass(): Promise<void> {
    this.#stalled = undefined;
    this.hidesDeaths = false;
    this.#triggers.clear();
    for (const connection of this.#connections) connection.release();
    if (!this.#server.listening) await this.#listen();
  }

  /** What a connection of this link asks before bytes go up. */
  look(connection: Connection, chunk: Buffer): 'pass' | 'pass-and-hold' | 'hold' {
    const trigger = [...this.#triggers].find(({ text }) => chunk.includes(text));
    if (!trigger) return 'pass';
    this.#triggers.delete(trigger);
    connection.hold(trigger.passes ? 'down' : 'both');
    trigger.reached();
    return trigger.passes ? 'pass-and-hold' : 'hold';
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  #stopAt(text: string, passes: boolean): Stop {
    const reached = new Promise<void>((resolve) => {
      this.#triggers.add({ text, passes, reached: resolve });
    });
    return { reached };
  }

  #accept(near: Socket): void {
    if (this.#targetPort === undefined) {
      near.destroy();
      return;
    }
    const connection = new Connection(near, connect({ port: this.#targetPort, host: HOST, allowHalfOpen: true }), this);
    this.#connections.add(connection);
    this.#peak = Math.max(this.#peak, this.open);
    if (this.#stalled) connection.hold(this.#stalled);
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.port, HOST);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }
}
