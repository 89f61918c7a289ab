import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../dev/node-flags.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program of this folder in a process of its own and resolves with the JSON that it prints last. */
export async function runProgram(name: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const path = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, [...NODE_FLAGS, '--import', 'tsx', path, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${name} ended with code ${code}.`);
  return JSON.parse(output) as Record<string, unknown>;
}

/** A number of such an answer. Throws an Error if it has none of this name. */
export function numberIn(answer: Record<string, unknown>, name: string): number {
  const value = answer[name];
  if (typeof value !== 'number') throw new Error(`The answer has no number ${name}.`);
  return value;
}
