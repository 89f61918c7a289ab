import { PROBLEMS } from '../api/problem.ts';

const BEGIN = '<!-- problems: made by `npm run docs` from api/problem.ts -->';
const END = '<!-- end of problems -->';

/** The API guide with its table of problems as the source has them. Throws an Error when it has lost the table's place. */
export function withProblemTable(guide: string): string {
  const [before, rest] = guide.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`docs/api-guide.md needs the lines ${BEGIN} and ${END}, with the table between them.`);
  }
  return `${before}${BEGIN}\n\n${problemTable()}\n\n${END}${after}`;
}

function problemTable(): string {
  const rows = Object.entries(PROBLEMS).map(([code, [status, title]]) => [
    `\`${code}\``,
    String(status),
    title,
  ]);
  const table = [['code', 'status', 'meaning'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = table;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
