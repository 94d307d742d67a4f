import { createHmac, hkdfSync } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { Clock } from '../common/clock.js';
import { Secret } from '../common/secret.js';
import { UnitOfWork } from '../database/index.js';
import { AppliedDeclarationEntity } from './applied-declaration.entity.js';
import { Configuration } from './configuration.js';
import { sourceOf } from './declaration-sources.js';
import type { EncryptionKey } from './environment.js';

interface Kind<Declaration> {
  kind: string;
  name: (declaration: Declaration) => string;
  apply: (declaration: Declaration) => Promise<void>;
  /** What an entry that was removed from the file becomes: disabled, never deleted. */
  disable: (name: string) => Promise<void>;
}

/**
 * Applies what CONFIG_FILE declares, once per change of its text: a restart neither re-enables what an admin
 * disabled nor restores a secret that was rotated. Several replicas may start at once: the conditional write of
 * the digest, in the same transaction as the change, lets one of them apply it.
 */
@Injectable()
export class AppliedDeclarations {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  async apply<Declaration extends object>(
    declarations: readonly Declaration[],
    kind: Kind<Declaration>,
  ): Promise<void> {
    const before = new Map((await this.#rows.findBy({ kind: kind.kind })).map((row) => [row.name, row] as const));
    for (const declaration of declarations) {
      const name = kind.name(declaration);
      const known = before.get(name);
      const unchanged = known?.removedAt === null && this.#matches(known.digest, declaration);
      const digest = digestOf(declaration, this.#keys[0]!);
      if (unchanged && known.digest === digest) continue;
      await this.unitOfWork.run(async () => {
        const claimed = await this.#claim(kind.kind, name, digest, known);
        if (claimed && !unchanged) await kind.apply(declaration);
      });
    }
    const declared = new Set(declarations.map(kind.name));
    for (const { id, name, removedAt } of before.values()) {
      if (declared.has(name) || removedAt !== null) continue;
      await this.unitOfWork.run(async () => {
        const { affected } = await this.#rows.update({ id, removedAt: IsNull() }, { removedAt: this.clock.now() });
        if (affected === 1) await kind.disable(name);
      });
    }
  }

  #matches(digest: string, declaration: object): boolean {
    return this.#keys.some((key) => digestOf(declaration, key) === digest);
  }

  async #claim(kind: string, name: string, digest: string, known?: AppliedDeclarationEntity): Promise<boolean> {
    const id = `${kind}:${name}`;
    const row = { id, kind, name, digest, appliedAt: this.clock.now(), removedAt: null };
    if (!known) return this.unitOfWork.insertOnce(AppliedDeclarationEntity, row);
    const { affected } = await this.#rows.update(
      { id, digest: known.digest, removedAt: known.removedAt ?? IsNull() },
      { digest, appliedAt: row.appliedAt, removedAt: null },
    );
    return affected === 1;
  }

  get #keys(): readonly EncryptionKey[] {
    return this.configuration.environment.ENCRYPTION_KEYS;
  }

  get #rows() {
    return this.unitOfWork.repository(AppliedDeclarationEntity);
  }
}

/**
 * A changed secret is a changed entry, so secrets are part of the digest; it is keyed, because a plain digest would
 * let a reader of the database test guesses of a short password.
 */
function digestOf(declaration: object, { id, key }: EncryptionKey): string {
  const digestKey = Buffer.from(hkdfSync('sha256', key, '', 'symbolon applied declarations', 32));
  return `${id}:${createHmac('sha256', digestKey)
    .update(textOf(sourceOf(declaration)))
    .digest('base64url')}`;
}

/** A replacer is handed what `toJSON()` made, which for a secret is its redaction; `this` still holds the secret. */
function textOf(source: unknown): string {
  return JSON.stringify(source, function (this: Record<string, unknown>, key, value: unknown) {
    const original = this[key];
    return original instanceof Secret ? original.reveal() : value;
  });
}
