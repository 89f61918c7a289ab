import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endLeftovers, startChild, startReadyChild, type ChildOptions } from '../../dev/child.ts';
import { identifyProcess } from '../../dev/process-identity.ts';
import { allGone, mustIdentify, runProgram } from './program-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function shell(script: string): Promise<ChildOptions> {
  return {
    name: 'A child',
    slug: 'child',
    home: await temporaryFolder(),
    command: '/bin/sh',
    args: ['-c', script],
    env: process.env,
    cwd: '/',
    stopSignal: 'SIGTERM',
    graceMs: 300,
  };
}

const unhurried = new AbortController().signal;

describe('a child', () => {
  it('ends when its starter is killed, even if it ignores polite signals', async () => {
    const starter = runProgram('run-child.ts', [await temporaryFolder()]);
    const child = mustIdentify(Number(await starter.nextLine()));
    starter.signal('SIGKILL');
    await starter.exited;
    await allGone([child]);
    expect(identifyProcess(child.pid)).toBeUndefined();
  });

  it('that does not end when asked is made to', async () => {
    const child = await startChild(await shell('trap "" TERM; while :; do sleep 0.05; done'));
    await child.stop();
    expect(identifyProcess(child.pid)).toBeUndefined();
    expect((await child.exited).signal).toBe('SIGKILL');
  });

  it('is ready once it says so, and its output is in the log', async () => {
    const options = await shell(`echo starting; echo '{"ready":true,"url":"http://here"}'; exec sleep 60`);
    const { child, ready } = await startReadyChild(options, 10_000, unhurried);
    expect(ready).toEqual({ ready: true, url: 'http://here' });
    await child.stop();
    expect(await readFile(join(options.home, 'logs', 'child.log'), 'utf8')).toContain('starting');
  });

  it('that ends before it is ready is an error with the end of its log', async () => {
    const started = startReadyChild(await shell('echo no luck >&2; exit 3'), 10_000, unhurried);
    await expect(started).rejects.toThrow(/exit code 3[\s\S]*no luck/);
  });

  it('that does not get ready in time is ended', async () => {
    const options = await shell('echo $$; exec sleep 60');
    await expect(startReadyChild(options, 200, unhurried)).rejects.toThrow(/not ready within/);
    const pid = Number(await readFile(join(options.home, 'logs', 'child.log'), 'utf8'));
    expect(identifyProcess(pid)).toBeUndefined();
  });

  it('that cannot be started is an error', async () => {
    const options = { ...(await shell('')), command: '/nowhere/program' };
    await expect(startChild(options)).rejects.toThrow('ENOENT');
  });

  it('left behind by an earlier run is ended by the next', async () => {
    const options = await shell('exec sleep 60');
    const child = await startChild(options);
    await endLeftovers(options.home);
    expect(identifyProcess(child.pid)).toBeUndefined();
  });
});
