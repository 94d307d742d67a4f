export type DatabaseName = 'sqlite' | 'postgres';

/** TEST_DATABASES (comma-separated) limits the matrix; everything runs when it is absent. */
export function usesDatabase(name: DatabaseName): boolean {
  const wanted = process.env['TEST_DATABASES'];
  return wanted === undefined || wanted === '' || wanted.split(',').includes(name);
}
