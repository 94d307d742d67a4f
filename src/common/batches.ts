/**
 * The rows that pages hold, one page after the other, each asked for with the last row of the one before: a table that
 * grows under a long run is never held in memory, and what stays as it is does not come again.
 */
export async function* inBatches<Row>(page: (after: Row | undefined) => Promise<readonly Row[]>): AsyncGenerator<Row> {
  let after: Row | undefined;
  do {
    const rows = await page(after);
    yield* rows;
    after = rows.at(-1);
  } while (after !== undefined);
}
