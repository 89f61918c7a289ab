/** An import of which at least this share of the rows is refused, and at least so many, needs somebody. */
export const REFUSED_SHARE_MIN = 0.05;
export const REFUSED_ROWS_MIN = 10;

/** Whether so many rows of a file were refused that it looks like a wrong file or a wrong column. */
export function hasManyRefusals(rows: { readonly read: number; readonly refused: number }): boolean {
  return rows.refused >= REFUSED_ROWS_MIN && rows.refused >= rows.read * REFUSED_SHARE_MIN;
}
