export interface Leak {
  /** What kind of secret it is; never the secret itself. */
  label: string;
  encoding: string;
  where: string;
}

interface Needle {
  text: string;
  label: string;
  encoding: string;
}

/** Shorter values are found everywhere by accident. */
const MIN_LENGTH = 8;
/** The scan looks up so many characters at every position; every needle is at least as long. */
const KEY_LENGTH = 8;

/** UTF-8 bytes as one character each: the same view of strings and of binary files. */
const bytesAsText = (value: string): string => Buffer.from(value, 'utf8').toString('latin1');

/**
 * The part of a base64 text that depends on the value alone when the value begins `offset` bytes into a group of three:
 * so it is found inside the encoding of something larger, such as Basic credentials or a JWT's payload.
 */
function base64Core(value: string, offset: number, encoding: 'base64' | 'base64url'): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value, 'utf8')]);
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor((bytes.length * 8) / 6);
  return bytes.toString(encoding).slice(first, last);
}

function encodings(value: string): [encoding: string, text: string][] {
  const percent = encodeURIComponent(value);
  const json = JSON.stringify(value).slice(1, -1);
  const hex = Buffer.from(value, 'utf8').toString('hex');
  return [
    ['raw', bytesAsText(value)],
    ['json', bytesAsText(json)],
    ['json in json', bytesAsText(JSON.stringify(json).slice(1, -1))],
    ['url', percent],
    ['url lower-case', percent.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())],
    ['form', new URLSearchParams([['', value]]).toString().slice(1)],
    ['url twice', encodeURIComponent(percent)],
    ...[0, 1, 2].map((offset): [string, string] => ['base64', base64Core(value, offset, 'base64')]),
    ...[0, 1, 2].map((offset): [string, string] => ['base64url', base64Core(value, offset, 'base64url')]),
    ['hex', hex],
    ['hex upper-case', hex.toUpperCase()],
  ];
}

/**
 * Everything secret that a test sent or received. At the end logs and dumps are searched for each value in the encodings
 * in which secrets really leak. Values stay in private fields, so that a failing assertion cannot print them.
 */
export class SecretLedger {
  readonly #labels = new Map<string, string>();

  get size(): number {
    return this.#labels.size;
  }

  /** Ignores what is shorter than eight characters. The first label of a value stays. */
  add(value: string, label: string): void {
    if (value.length >= MIN_LENGTH && !this.#labels.has(value)) this.#labels.set(value, label);
  }

  addAll(values: Iterable<string>, label: string): void {
    for (const value of values) this.add(value, label);
  }

  has(value: string): boolean {
    return this.#labels.has(value);
  }

  /** One leak per label, encoding and place, however often it occurs there. */
  findLeaks(text: string | Uint8Array, where: string): Leak[] {
    const haystack = typeof text === 'string' ? bytesAsText(text) : Buffer.from(text).toString('latin1');
    const needles = this.#needlesByKey();
    const found = new Map<string, Leak>();
    for (let at = 0; at + KEY_LENGTH <= haystack.length; at += 1) {
      const candidates = needles.get(haystack.substring(at, at + KEY_LENGTH));
      for (const { text: needle, label, encoding } of candidates ?? []) {
        if (haystack.startsWith(needle, at)) found.set(`${label} ${encoding}`, { label, encoding, where });
      }
    }
    return [...found.values()];
  }

  /** Throws when anything leaks; the message names kinds and places only. */
  assertNoLeaks(places: Record<string, string | Uint8Array>): void {
    const leaks = Object.entries(places).flatMap(([where, text]) => this.findLeaks(text, where));
    if (leaks.length === 0) return;
    const lines = leaks.map(({ label, encoding, where }) => `${label} (${encoding}) in ${where}`);
    throw new Error(`secrets leaked:\n${lines.join('\n')}`);
  }

  /** Grouped by their first characters, so that the scan's cost does not grow with the number of secrets. */
  #needlesByKey(): Map<string, Needle[]> {
    const byKey = new Map<string, Needle[]>();
    for (const [value, label] of this.#labels) {
      const seen = new Set<string>();
      for (const [encoding, text] of encodings(value)) {
        if (text.length < KEY_LENGTH || seen.has(text)) continue;
        seen.add(text);
        const key = text.slice(0, KEY_LENGTH);
        const sameKey = byKey.get(key);
        if (sameKey === undefined) byKey.set(key, [{ text, label, encoding }]);
        else sameKey.push({ text, label, encoding });
      }
    }
    return byKey;
  }
}
