import type { z } from 'zod';
import { DomainError, invalidParameter } from '../common/domain-error.js';

/** What is wrong with an entry, by the place in it. The messages hold no value of it, which may be a secret. */
export class InvalidEntry extends DomainError {
  constructor(readonly issues: readonly { path: string; message: string }[]) {
    const errors = issues.map(({ path, message }) => ({
      parameter: invalidParameter(path, message).meta.parameter!,
      detail: message,
    }));
    super('request.parameter-invalid', { meta: { errors } });
    this.name = 'InvalidEntry';
  }
}

/** An entry of CONFIG_FILE that came by another way. @throws InvalidEntry */
export function parseEntry<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new InvalidEntry(
    parsed.error.issues.flatMap((issue) => {
      const path = issue.path.map(String).join('.');
      if (issue.code !== 'unrecognized_keys') {
        const absent = issue.code === 'invalid_type' && isAbsent(body, issue.path);
        return [{ path, message: absent ? 'is required' : issue.message }];
      }
      return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, message: 'is not known here' }));
    }),
  );
}

function isAbsent(body: unknown, path: readonly PropertyKey[]): boolean {
  let node = body;
  for (const key of path) node = (node as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return node === undefined;
}
