import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CRASH_POINTS } from '../../domain/dispatch/crash-points.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATH_OF_A_TEXT = ['domain', 'db', 'activities', 'api'];

function sourcesIn(...folders: readonly string[]): string {
  return folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => readFileSync(join(ROOT, folder, file), 'utf8')),
    )
    .join('\n');
}

describe('a named crash point', () => {
  const path = sourcesIn(...PATH_OF_A_TEXT);
  const deaths = sourcesIn('test/system', 'test/imports');

  it.each(CRASH_POINTS)('sits in the real path, and some test kills a process there: %s', (point) => {
    expect(path.includes(`crash('${point}')`) || path.includes(`crash?.('${point}')`)).toBe(true);
    // With how many times it is passed before, or without.
    expect(deaths.includes(`'${point}'`) || deaths.includes(`'${point}:`)).toBe(true);
  });
});
