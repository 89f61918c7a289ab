import { expect, test } from 'vitest';
import { escapeFormula } from '../../domain/csv-cell.ts';

test.each([
  '=1+1',
  '+1+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '＝1',
  '＋1',
  '－1',
  '＠A',
  '+',
  '+12',
  '+1 212 555 2001',
  '+12125552001=cmd',
])('the cell %j is shown and not run', (text) => {
  expect(escapeFormula(text)).toBe(`'${text}`);
});

test.each([
  '',
  'Sam',
  "O'Neill",
  '12',
  'a=b',
  ' =1',
  '+12125552001',
  '+4915112345678',
  '2027-01-01T00:00:00Z',
])('the cell %j stays as it is', (text) => {
  expect(escapeFormula(text)).toBe(text);
});
