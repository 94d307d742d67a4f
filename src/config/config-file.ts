import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { ConfigurationError } from './configuration-error.js';
import { withSource } from './declaration-sources.js';
import { declarations, type Declarations } from './declarations.js';

/**
 * Reads CONFIG_FILE (YAML, of which JSON is a part). `${NAME}` takes a value from the environment and a key
 * `<name>_file` takes `<name>` from a file, relative to the configuration, so that no secret needs to stand in it.
 */
export function readConfigFile(path: string | undefined, variables: NodeJS.ProcessEnv): Declarations {
  return parseDeclarations(path === undefined ? {} : load(path, variables), path);
}

/** Validates what was read and remembers, for every entry, how it was written. */
export function parseDeclarations(raw: unknown, path = ''): Declarations {
  const parsed = declarations.safeParse(raw);
  if (!parsed.success) throw new ConfigurationError(`CONFIG_FILE ${path}: ${describe(parsed.error.issues[0], raw)}`);
  for (const [section, entries] of Object.entries(parsed.data)) {
    const sources = (raw as Record<string, unknown[] | undefined>)[section];
    for (const [index, entry] of entries.entries()) if (typeof entry === 'object') withSource(entry, sources?.[index]);
  }
  return parsed.data;
}

function load(path: string, variables: NodeJS.ProcessEnv): unknown {
  let document: unknown;
  try {
    document = parse(readFileSync(path, 'utf8'), { prettyErrors: false });
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'is not readable YAML or JSON';
    throw new ConfigurationError(`CONFIG_FILE ${path} ${reason}; correct the path or the file`);
  }
  return resolveValues(document ?? {}, { directory: dirname(path), variables, at: '' });
}

interface Context {
  directory: string;
  variables: NodeJS.ProcessEnv;
  at: string;
}

function resolveValues(value: unknown, context: Context): unknown {
  if (typeof value === 'string') return interpolate(value, context);
  if (Array.isArray(value))
    return value.map((item, index) => resolveValues(item, { ...context, at: `${context.at}[${index}]` }));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => {
      const inner = { ...context, at: context.at === '' ? key : `${context.at}.${key}` };
      const resolved = resolveValues(item, inner);
      return key.endsWith('_file') && typeof resolved === 'string'
        ? [key.slice(0, -'_file'.length), readSecretFile(resolved, inner)]
        : [key, resolved];
    }),
  );
}

function interpolate(text: string, { variables, at }: Context): string {
  return text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) {
      throw new ConfigurationError(
        `CONFIG_FILE ${at}: the environment variable ${name} is not set; set it or remove \${${name}}`,
      );
    }
    return value;
  });
}

function readSecretFile(file: string, { directory, at }: Context): string {
  try {
    return readFileSync(resolve(directory, file), 'utf8').trimEnd();
  } catch {
    throw new ConfigurationError(
      `CONFIG_FILE ${at}: the file it names cannot be read; correct the path or its permissions`,
    );
  }
}

/** Names the entry by its own id where it has one: nobody counts to `clients[17]`. */
function describe(issue: z.core.$ZodIssue | undefined, document: unknown): string {
  if (!issue) return 'is not valid';
  let node: unknown = document;
  let where = '';
  for (const key of issue.path) {
    node = (node as Record<PropertyKey, unknown> | undefined)?.[key];
    if (typeof key === 'number') {
      const entry = (typeof node === 'object' ? node : {}) as Record<string, unknown> | null;
      const name = entry?.['id'] ?? entry?.['client_id'] ?? entry?.['username'] ?? entry?.['name'];
      where += `[${typeof name === 'string' ? name : key}]`;
    } else {
      where += where === '' ? String(key) : `.${String(key)}`;
    }
  }
  if (issue.code === 'unrecognized_keys') {
    return `${where === '' ? '' : `${where}: `}unknown key ${issue.keys.join(', ')}; remove it or correct its spelling`;
  }
  const missing = node === undefined && issue.code === 'invalid_type';
  return `${where} ${missing ? 'is required' : issue.message}`;
}
