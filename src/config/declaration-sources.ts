const sources = new WeakMap<object, unknown>();

/**
 * Remembers what an entry says in CONFIG_FILE, before defaults are filled in: a later release that adds a setting with
 * a default must not take every entry for a changed one, and apply it again over what an admin has done since.
 */
export function withSource<Declaration extends object>(declaration: Declaration, source: unknown): Declaration {
  sources.set(declaration, source);
  return declaration;
}

/** What the entry says in the file; of one that was made here, itself. */
export function sourceOf(declaration: object): unknown {
  return sources.get(declaration) ?? declaration;
}
