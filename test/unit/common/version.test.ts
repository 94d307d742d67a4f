import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { VERSION } from '../../../src/common/version.js';

it('is the version of package.json, and the changelog knows it', () => {
  const root = new URL('../../../', import.meta.url);
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
  expect(readFileSync(new URL('CHANGELOG.md', root), 'utf8')).toContain(`## [${version}]`);
});
