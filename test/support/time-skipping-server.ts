import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { findTestServer } from '../../dev/temporal-binaries.ts';

/**
 * Starts Temporal's time-skipping test server for one test file; call `teardown` after the workers have ended.
 * Time is skipped for everything on it, so tests on one server run one after the other.
 */
export async function startTimeSkippingServer(): Promise<TestWorkflowEnvironment> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const binary = await findTestServer({ env: process.env, progress: () => undefined });
  const folder = await mkdtemp(join(tmpdir(), 'carillon-test-'));
  const path = join(folder, 'temporal-test-server');
  await writeFile(path, guardedLauncher(binary), { mode: 0o755 });
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const server = { executable: { type: 'existing-path', path } } as const;
        return await TestWorkflowEnvironment.createTimeSkipping({ server });
      } catch (error) {
        // The SDK waits for 5 s only, which a busy machine may need several times over to load Java.
        if (attempt === STARTS_MAX) throw error;
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const STARTS_MAX = 10;

/** The SDK ends the server it started; should the test process be killed, the server notices by itself. */
function guardedLauncher(binary: string): string {
  return [
    '#!/bin/sh',
    'parent=$PPID',
    'self=$$',
    '(while kill -0 "$parent" && kill -0 "$self"; do sleep 1; done; kill -9 "$self") </dev/null >/dev/null 2>&1 &',
    `exec '${binary.replaceAll("'", String.raw`'\''`)}' "$@"`,
    '',
  ].join('\n');
}
