import { readFile, writeFile } from 'node:fs/promises';
import { withProblemTable } from './api-guide.ts';

// Writes the parts of the documentation that the source says.
const guide = new URL('../docs/api-guide.md', import.meta.url);
await writeFile(guide, withProblemTable(await readFile(guide, 'utf8')));
console.log('docs/api-guide.md is up to date.');
