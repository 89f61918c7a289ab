import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What the tests read of a compose file. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
}

/** One service, as far as the tests look. */
export interface ComposeService {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly replicas?: number };
  readonly ports?: readonly string[];
}

const VARIABLE = /\$\{(\w+)(?::([-?])([^}]*))?\}/g;
const ROOT = new URL('../../', import.meta.url).pathname;

/** The variables that the file asks the environment for. */
export async function variablesOfCompose(): Promise<Set<string>> {
  const text = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8');
  return new Set([...text.matchAll(VARIABLE)].map(([, name = '']) => name));
}

/** Reads the file as Compose does with this environment. Throws an Error for a variable that must be set and is not. */
export async function readCompose(env: Readonly<Record<string, string>>): Promise<ComposeFile> {
  const text = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8');
  // Variables stand in values and never in the file's structure, so they are filled in after it has been parsed.
  return parse(text, (_key, value: unknown) => (typeof value === 'string' ? fill(value, env) : value), {
    merge: true,
  }) as ComposeFile;
}

/** Fills a value in; what then is a number counts as one, as Compose casts to what its schema wants. */
function fill(text: string, env: Readonly<Record<string, string>>): string | number {
  let isFilled = false;
  const filled = text
    .replaceAll(VARIABLE, (_, name: string, kind?: string, rest?: string) => {
      isFilled = true;
      const value = env[name] ?? '';
      if (value !== '') return value;
      if (kind === '?') throw new Error(`${name}: ${rest ?? 'is not set'}`);
      return rest ?? '';
    })
    .replaceAll('$$', '$');
  return isFilled && /^\d+$/.test(filled) ? Number(filled) : filled;
}

/** The names that `.env.example` sets, in order. */
export async function variablesOfExample(): Promise<string[]> {
  const text = await readFile(join(ROOT, '.env.example'), 'utf8');
  return [...text.matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
}
