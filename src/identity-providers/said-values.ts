/** What no database column of text takes: control characters, NUL above all, and halves of surrogate pairs. */
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

/** Whether a text that a provider chose can be kept, shown and compared as it is. */
export function isStorable(said: string): boolean {
  return !UNSTORABLE.test(said);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A string that says something, and can be kept. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && isStorable(value) ? value : undefined;
}
