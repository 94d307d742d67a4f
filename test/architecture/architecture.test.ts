import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { removeTemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEPCRUISE = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const RULES = '.dependency-cruiser.cjs';

interface Violation {
  rule: { name: string };
  from: string;
  to: string;
}

/** What dependency-cruiser finds, as `rule: from → to`. */
function violations(directory: string): string[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [DEPCRUISE, '--config', RULES, '--output-type', 'json', 'src', 'ormconfig.ts'],
    { cwd: directory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  if (!stdout.startsWith('{')) throw new Error(stderr || stdout);
  const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } };
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

/** Every rule with a file that breaks it. */
const PLANTED: Record<string, { file: string; content: string }> = {
  'no-cycles': { file: 'src/users/a.ts', content: "import type { B } from './b.js';\nexport type A = B[];" },
  'users-imports-no-room-to-its-left': {
    file: 'src/users/upward.ts',
    content: "import type { Thing } from '../clients/index.js';\nexport type Up = Thing;",
  },
  'tokens-imports-no-room-to-its-left': {
    file: 'src/tokens/upward.ts',
    content: "export { Thing } from '../authorization/index.js';",
  },
  'every-room-is-in-the-order': { file: 'src/shared/index.ts', content: "export { Thing } from '../common/thing.js';" },
  'rooms-are-entered-through-their-index': {
    file: 'src/tokens/inside.ts',
    content: "export { Thing } from '../clients/thing.js';",
  },
  'the-composition-enters-rooms-through-their-index': {
    file: 'src/app.module.ts',
    content: "export { Thing } from './clients/thing.js';",
  },
  'rooms-do-not-know-the-composition': {
    file: 'src/tokens/composed.ts',
    content: "export * from '../app.module.js';",
  },
  'common-imports-nothing': { file: 'src/common/upward.ts', content: "export * from '../config/index.js';" },
  'ormconfig-knows-entities-and-migrations-only': {
    file: 'ormconfig.ts',
    content: "export * from './src/clients/thing.js';",
  },
  'entities-stay-in-their-room': { file: 'src/config/index.ts', content: "export * from './config.entity.js';" },
  'the-engine-knows-no-grant-and-no-dialect': {
    file: 'src/tokens/engine/grant.ts',
    content: "export * from '../grants/some.grant.js';",
  },
  'the-engine-knows-no-transport': {
    file: 'src/tokens/engine/transport.ts',
    content: "import type { Request } from 'express';\nexport type Transport = Request;",
  },
  'grants-know-no-dialect': {
    file: 'src/tokens/grants/worded.ts',
    content: "export * from '../dialects/vendor/face.js';",
  },
  'dialects-know-the-engine-not-the-grants': {
    file: 'src/tokens/dialects/vendor/granting.ts',
    content: "export * from '../../grants/some.grant.js';",
  },
  'a-dialect-is-imported-by-its-room-s-module-only': {
    file: 'src/tokens/index.ts',
    content: "export * from './dialects/vendor/face.js';",
  },
  'nothing-imports-a-test-or-a-script': {
    file: 'src/clients/tested.ts',
    content: "export * from '../../test/support.js';",
  },
  'only-dependencies-that-are-installed-in-production': {
    file: 'src/clients/development.ts',
    content: "export { describe } from 'vitest';",
  },
};

/** What the planted files import, and a room that keeps all rules. */
const AROUND: Record<string, string> = {
  'src/users/b.ts': "import type { A } from './a.js';\nexport interface B { a: A }",
  'src/clients/thing.ts': 'export interface Thing { id: string }',
  'src/clients/index.ts': "export type { Thing } from './thing.js';",
  'src/authorization/index.ts': "export type { Thing } from '../clients/index.js';",
  'src/common/thing.ts': 'export interface Thing { id: string }',
  'src/config/config.entity.ts': 'export class ConfigEntity {}',
  'src/tokens/grants/some.grant.ts': 'export class SomeGrant {}',
  'src/tokens/dialects/vendor/face.ts': 'export const face = {};',
  'test/support.ts': 'export const support = {};',
};

describe('the import rules', () => {
  const planted = temporaryDirectory();
  afterAll(() => removeTemporaryDirectory(planted));

  it('are kept', () => {
    expect(violations(ROOT)).toEqual([]);
  });

  it('bite: a planted violation of each is found, and nothing else', () => {
    for (const name of [RULES, 'tsconfig.json', 'package.json']) cpSync(join(ROOT, name), join(planted, name));
    symlinkSync(join(ROOT, 'node_modules'), join(planted, 'node_modules'));
    const files = {
      ...AROUND,
      ...Object.fromEntries(Object.values(PLANTED).map(({ file, content }) => [file, content])),
    };
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(planted, file)), { recursive: true });
      writeFileSync(join(planted, file), `${content}\n`);
    }
    const found = violations(planted);
    for (const [rule, { file }] of Object.entries(PLANTED)) {
      expect(found.filter((violation) => violation.startsWith(`${rule}: ${file} `))).not.toEqual([]);
    }
    const guilty = new Set([...Object.values(PLANTED).map(({ file }) => file), 'src/users/b.ts']);
    expect(found.filter((violation) => !guilty.has(/: (\S+) /.exec(violation)?.[1] ?? ''))).toEqual([]);
  });

  it('name every rule in the test above', () => {
    const names = readFileSync(join(ROOT, RULES), 'utf8').match(/(?<=name: ')[^']+/g) ?? [];
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !(name in PLANTED))).toEqual([]);
  });
});

interface Source {
  file: string;
  code: string;
}

/** Comments may name anything; a URL's slashes are no comment. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/[^\n]*/g, '$1');
}

function sources(): Source[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
  return [...files, join(ROOT, 'ormconfig.ts')].map((file) => ({
    file: relative(ROOT, file),
    code: withoutComments(readFileSync(file, 'utf8')),
  }));
}

const VENDORS = ['pace', 'onezone', 'slashid', 'raidiam', 'frontier'];
/** The name as a word or as a part of a camelCase, kebab-case or upper-case name; not the end of `space`. */
const vendorName = (vendor: string): RegExp => {
  const capital = vendor.charAt(0).toUpperCase() + vendor.slice(1);
  return new RegExp(`(?<![A-Za-z])${vendor}(?![a-z])|${capital}(?![a-z])|(?<![A-Z])${vendor.toUpperCase()}(?![A-Z])`);
};

const MAY_READ_THE_ENVIRONMENT = /^(src\/config\/.*|src\/main\.ts|ormconfig\.ts)$/;

/** The tags of the documents, and the scopes that a vendor's name is a part of. */
const NAMING = new Set(['src/app.docs.ts', 'src/config/scopes.ts']);

describe('the sources', () => {
  it.each(VENDORS)(
    'speak of %s only in its dialect, in the wiring of its module and in the documentation',
    (vendor) => {
      const speaking = sources()
        .filter(({ file, code }) => !file.includes(`/dialects/${vendor}/`) && vendorName(vendor).test(code))
        .map(({ file }) => file);
      expect(speaking.filter((file) => !file.endsWith('.module.ts') && !NAMING.has(file))).toEqual([]);
    },
  );

  it('see a vendor in a name, and none in other words', () => {
    const pace = vendorName('pace');
    for (const text of ['pace', 'PaceGuard', 'toPaceError', 'PACE_PREFIX', "'pace'", 'pace.face.js', 'pace_id']) {
      expect(text).toMatch(pace);
    }
    for (const text of ['space', 'spaces', 'SPACE', 'Spaces', 'paced', 'pacemaker', 'whitespace']) {
      expect(text).not.toMatch(pace);
    }
  });

  it('use no forwardRef: it hides a cycle', () => {
    expect(
      sources()
        .filter(({ code }) => code.includes('forwardRef'))
        .map(({ file }) => file),
    ).toEqual([]);
  });

  it('read the environment in one room and at the two edges of the process', () => {
    const readers = sources()
      .filter(({ code }) => /\bprocess\s*(\.|\[['"])\s*env\b/.test(code))
      .map(({ file }) => file);
    expect(readers.filter((file) => !MAY_READ_THE_ENVIRONMENT.test(file))).toEqual([]);
  });
});
