import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../api/problem.ts';
import { withProblemTable } from '../../dev/api-guide.ts';

const read = (): Promise<string> => readFile(new URL('../../docs/api-guide.md', import.meta.url), 'utf8');

describe('the API guide', () => {
  it('lists every problem as the source has it; `npm run docs` writes the table', async () => {
    const guide = await read();
    expect(withProblemTable(guide)).toBe(guide);
  });

  it('says how to come by what was lost when its table has no place', async () => {
    const guide = await read();
    expect(guide).toContain(`\`${Object.keys(PROBLEMS)[0] ?? ''}\``);
    expect(() => withProblemTable('# No table')).toThrow('docs/api-guide.md needs the lines');
  });
});
