// @ts-check
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { ensureBuilt } from './build.mjs';

const DIRECTORY = fileURLToPath(new URL('../openapi', import.meta.url));

/** The settings of nobody's machine, so that everybody generates the same documents. */
const ENVIRONMENT = {
  ISSUER: 'http://localhost:3000',
  DATABASE_URL: 'sqlite::memory:',
  ENCRYPTION_KEYS: `documents:${randomBytes(32).toString('base64')}`,
};

/**
 * The documents by file name. Nest's preview mode builds the application without starting anything: no database, no keys.
 * @returns {Promise<Map<string, string>>}
 */
async function generate() {
  const [{ AppModule }, { createDocument, documentOf, DOCUMENTED_FACES }, { loadConfiguration }] = await Promise.all(
    ['app.module.js', 'app.docs.js', 'config/index.js'].map((file) => import(`../dist/src/${file}`)),
  );
  const app = await NestFactory.create(AppModule.with(loadConfiguration(ENVIRONMENT)), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  const whole = createDocument(app);
  const documents = new Map([['symbolon.json', whole]]);
  for (const face of Object.keys(DOCUMENTED_FACES)) documents.set(`${face}.json`, documentOf(face, whole));
  await app.close();
  return new Map([...documents].map(([file, document]) => [file, `${JSON.stringify(document, null, 2)}\n`]));
}

/**
 * @param {Map<string, string>} documents
 * @returns {string[]} the files that do not hold what the code says
 */
function drifted(documents) {
  return [...documents].flatMap(([file, text]) => {
    const path = join(DIRECTORY, file);
    return existsSync(path) && readFileSync(path, 'utf8') === text ? [] : [`openapi/${file}`];
  });
}

/** Writes openapi/, or with `--check` says which of its files the code has left behind. */
ensureBuilt();
const documents = await generate();
const stale = drifted(documents);
if (process.argv.includes('--check')) {
  for (const file of stale) console.error(`${file} does not match the code: run \`npm run openapi\` and commit it`);
  if (stale.length > 0) process.exitCode = 1;
  else console.log(`openapi/: ${documents.size} documents match the code`);
} else {
  mkdirSync(DIRECTORY, { recursive: true });
  for (const [file, text] of documents) writeFileSync(join(DIRECTORY, file), text);
  console.log(stale.length === 0 ? 'openapi/: nothing changed' : `written: ${stale.join(', ')}`);
}
