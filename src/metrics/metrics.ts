import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';
import { VERSION } from '../common/version.js';

/** Anybody who reaches the port may scrape: what is looked up for it is kept for so long. */
const FRESH_MS = 2_000;
/** And told for so long where the next look takes too long. */
const KNOWN_MS = 60_000;
/** A scrape does not wait longer for something that is away. */
const PATIENCE_MS = 1_000;

/** One line of the exposition. */
export interface Sample {
  gauge: Gauge;
  labels?: Record<string, string>;
  value: number;
}

/** Something to be looked up when somebody scrapes, and the gauges that it fills. */
export interface Lookup {
  gauges: readonly Gauge[];
  read: () => Promise<readonly Sample[]>;
}

interface Source extends Lookup {
  name: string;
  readAt: number;
  underWay: Promise<void> | undefined;
}

/** What is measured in this process. Labels hold names of ours only: nothing that a stranger sent, and no secret. */
@Injectable()
export class Metrics {
  /** Rooms make their counters, histograms and gauges with `registers: [metrics.registry]`. */
  readonly registry = new Registry();
  readonly #sources: Source[] = [];
  readonly #errors = new Counter({
    name: 'symbolon_scrape_errors_total',
    help: 'Values that could not be looked up for a scrape, and are absent from it',
    labelNames: ['source'],
    registers: [this.registry],
  });

  constructor() {
    new Gauge({
      name: 'symbolon_build_info',
      help: 'The release that runs; always 1',
      labelNames: ['version'],
      registers: [this.registry],
    }).set({ version: VERSION }, 1);
  }

  /** Registers gauges that have to be looked up. Where that fails or takes long they are absent, and the scrape goes on. */
  lookUp(name: string, lookup: Lookup): void {
    this.#sources.push({ ...lookup, name, readAt: -Infinity, underWay: undefined });
    this.#errors.inc({ source: name }, 0);
  }

  /** Everything as it is now, in the text format of Prometheus. */
  async exposition(): Promise<string> {
    await Promise.all(this.#sources.map((source) => this.#refresh(source)));
    return this.registry.metrics();
  }

  async #refresh(source: Source): Promise<void> {
    if (performance.now() - source.readAt < FRESH_MS) return;
    const patience = new AbortController();
    source.underWay ??= read(source).finally(() => {
      source.underWay = undefined;
    });
    const tooLong = delay(PATIENCE_MS, false, { signal: patience.signal }).catch(() => false);
    const looked = source.underWay.then(() => true);
    // What takes long is there at the next scrape; until then what is known of it is told, for a while.
    const known = await Promise.race([looked, tooLong]).catch(() => undefined);
    patience.abort();
    if (known === true || (known === false && performance.now() - source.readAt < KNOWN_MS)) return;
    this.#errors.inc({ source: source.name });
    for (const gauge of source.gauges) gauge.reset();
  }
}

/** All at once, so that no scrape finds one half. */
async function read(source: Source): Promise<void> {
  const samples = await source.read();
  for (const gauge of source.gauges) gauge.reset();
  for (const { gauge, labels = {}, value } of samples) gauge.set(labels, value);
  source.readAt = performance.now();
}
