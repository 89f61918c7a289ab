import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { IMPORT_TABLE, IMPORTABLE_FILES } from './import-table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMPORT = /^(?:import|export)\s+(type\s)?[^;]*?from\s+'(\.[^']+)'/gm;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

function importsOf(part: string): Import[] {
  const files = readdirSync(join(ROOT, part), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const from = join(part, file);
    const source = readFileSync(join(ROOT, from), 'utf8');
    return [...source.matchAll(IMPORT)].map((match) => ({
      from,
      to: relative(ROOT, join(ROOT, dirname(from), match[2] ?? '')),
      isType: match[1] !== undefined,
    }));
  });
}

function isAllowed(part: string, one: Import): boolean {
  const [target = ''] = one.to.split('/');
  if (target === part) return true;
  const rules = IMPORT_TABLE[part];
  if (rules === undefined) return false;
  if (rules.code.includes(target) || IMPORTABLE_FILES[part]?.includes(one.to) === true) return true;
  return one.isType && rules.types.includes(target);
}

describe('the import table', () => {
  it.each(Object.keys(IMPORT_TABLE))('%s imports only what the table lets it', (part) => {
    const imports = importsOf(part);
    const broken = imports.filter((one) => !isAllowed(part, one)).map((one) => `${one.from} → ${one.to}`);
    expect(broken).toEqual([]);
  });

  it('finds the imports that it judges', () => {
    expect(importsOf('activities').length).toBeGreaterThan(5);
  });
});
