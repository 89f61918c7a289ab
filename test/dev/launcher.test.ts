import { spawn } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../dev/process-identity.ts';
import { freePortSettings, PART_NAMES } from '../../dev/system-config.ts';
import { allGone, follow, mustIdentify, type ProgramProcess } from './program-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY = 'Carillon runs.';

/** Starts what `npm start` starts; without npm, so that a signal reaches the launcher alone. */
function launch(env: Readonly<Record<string, string>>): ProgramProcess {
  const { PATH, HOME, XDG_CACHE_HOME } = process.env;
  const machine = Object.entries({ PATH, HOME, XDG_CACHE_HOME }).filter(([, value]) => value !== undefined);
  // "exec", so that the pid is the launcher's own.
  const command = 'exec "$0" --import tsx dev/start.ts 2>&1';
  const child = spawn('/bin/sh', ['-c', command, process.execPath], {
    cwd: ROOT,
    env: { ...Object.fromEntries(machine), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return follow(child);
}

async function freshHome(): Promise<Record<string, string>> {
  return { ...(await freePortSettings()), CARILLON_HOME: join(await temporaryFolder(), 'home') };
}

/** Everything that it printed up to the line with this text, or to its end. */
async function printedUntil(launcher: ProgramProcess, text: string): Promise<string> {
  let printed = '';
  for (;;) {
    const line = await launcher.nextLine();
    if (line === undefined) return printed;
    printed += `${line}\n`;
    if (line.includes(text)) return printed;
  }
}

async function partsOf(home: string): Promise<Map<string, ProcessIdentity>> {
  const folder = join(home, 'run');
  const parts = new Map<string, ProcessIdentity>();
  for (const name of await readdir(folder)) {
    const [pid] = (await readFile(join(folder, name), 'utf8')).split('\n');
    parts.set(name, mustIdentify(Number(pid)));
  }
  return parts;
}

async function startedSystem(env: Record<string, string>): Promise<{
  launcher: ProgramProcess;
  parts: Map<string, ProcessIdentity>;
}> {
  const launcher = launch(env);
  expect(await printedUntil(launcher, READY)).toContain(READY);
  const parts = await partsOf(env['CARILLON_HOME'] ?? '');
  expect([...parts.keys()].toSorted()).toEqual([...PART_NAMES].toSorted());
  return { launcher, parts };
}

describe('npm start', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends by %s in order and leaves no process behind',
    async (signal) => {
      const { launcher, parts } = await startedSystem(await freshHome());
      launcher.signal(signal);
      expect(await printedUntil(launcher, 'Stopped.')).toContain('Stopped.');
      expect(await launcher.exited).toBe(0);
      expect([...parts.values()].filter(isRunning)).toEqual([]);
    },
  );

  it('that is killed leaves no process behind, and starts again on the same data', async () => {
    const env = await freshHome();
    const first = await startedSystem(env);
    first.launcher.signal('SIGKILL');
    await first.launcher.exited;
    // At once, while the watchdogs still end what was left: the second start waits for that.
    const second = await startedSystem(env);
    await allGone([...first.parts.values()]);
    second.launcher.signal('SIGINT');
    expect(await second.launcher.exited).toBe(0);
  });

  it('a second time on the same data is refused, and the first goes on', async () => {
    const env = await freshHome();
    const { launcher, parts } = await startedSystem(env);
    const second = launch({ ...env, ...(await freePortSettings()) });
    expect(await printedUntil(second, READY)).toContain(`Process ${launcher.pid} already uses`);
    expect(await second.exited).toBe(1);
    expect([...parts.values()].every(isRunning)).toBe(true);
    launcher.signal('SIGINT');
    await launcher.exited;
  });

  it('starts a part again that was killed', async () => {
    const env = await freshHome();
    const { launcher, parts } = await startedSystem(env);
    const worker = parts.get('worker');
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    expect(await printedUntil(launcher, 'worker runs again')).toContain('worker ended (SIGKILL)');
    const again = await partsOf(env['CARILLON_HOME'] ?? '');
    expect(again.get('worker')?.pid).not.toBe(worker?.pid);
    launcher.signal('SIGINT');
    await launcher.exited;
  });

  it('on a taken port names the port and its variable, and starts nothing', async () => {
    const env = await freshHome();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(Number(env['PORT']), '127.0.0.1', () => resolve()));
    onTestFinished(() => new Promise<void>((resolve) => squatter.close(() => resolve())));
    const launcher = launch(env);
    const printed = await printedUntil(launcher, READY);
    expect(printed).toContain(`Port ${env['PORT']} `);
    expect(printed).toContain('set PORT to');
    expect(await launcher.exited).toBe(1);
    await expect(readdir(join(env['CARILLON_HOME'] ?? '', 'run'))).rejects.toThrow('ENOENT');
  });

  it('that is interrupted while it starts leaves no process behind', async () => {
    const env = await freshHome();
    const launcher = launch(env);
    await printedUntil(launcher, 'Making a new PostgreSQL');
    launcher.signal('SIGINT');
    expect(await launcher.exited).toBe(0);
    const left = await readdir(join(env['CARILLON_HOME'] ?? '', 'run')).catch(() => []);
    expect(left).toEqual([]);
    expect(identifyProcess(launcher.pid)).toBeUndefined();
  });
});
