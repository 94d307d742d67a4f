// @ts-check
import { ensureBuilt } from './build.mjs';

/** The address without what nobody should read over a shoulder. */
const describe = (/** @type {string} */ url) =>
  url.startsWith('sqlite:') ? url : `${new URL(url).protocol}//${new URL(url).host}${new URL(url).pathname}`;

/**
 * What to do about it, in one line.
 * @param {unknown} error
 */
function explain(error) {
  const { code, message } = /** @type {{ code?: string, message?: string }} */ (error);
  return [code, message?.split('\n')[0]].filter(Boolean).join(': ') || String(error);
}

/** Brings the database that DATABASE_URL names up to date: what the service does at start unless MIGRATIONS_RUN=false. */
ensureBuilt();
const [{ openDataSource }, { migrate }] = await Promise.all(
  ['ormconfig.js', 'src/database/index.js'].map((file) => import(`../dist/${file}`)),
);
const url = process.env['DATABASE_URL'] || 'sqlite:data/symbolon.sqlite';
try {
  if (!/^(sqlite:.|postgres(ql)?:\/\/.)/.test(url)) throw new Error('must be sqlite:<file> or postgres://…');
  const dataSource = openDataSource(url);
  await dataSource.initialize();
  try {
    await migrate(dataSource);
    const [applied] = await dataSource.query('SELECT COUNT(*) AS count FROM migrations');
    console.log(`migrations: ${describe(url)} is up to date (${Number(applied.count)} applied)`);
  } finally {
    await dataSource.destroy();
  }
} catch (error) {
  console.error(`migrations failed: DATABASE_URL: ${explain(error)}`);
  process.exitCode = 1;
}
