import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Client } from 'pg';
import { inject } from 'vitest';
import { findTestServer } from '../../dev/temporal-binaries.ts';

/** A database of one test file's own, with the newest schema and nothing in it. */
export interface TestDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/** Makes a database by copying the migrated template, which takes a tenth of a second. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(`create database ${name} template ${inject('templateDatabase')}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(`drop database if exists ${name} with (force)`) };
}

/**
 * Starts Temporal's time-skipping test server for one test file; call `teardown` after the workers have ended.
 * Time is skipped for everything on it, so tests on one server run one after the other.
 */
export async function startTimeSkippingServer(): Promise<TestWorkflowEnvironment> {
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
        // The SDK waits for 5 s only, which a busy machine may need to load Java once.
        if (attempt === STARTS_MAX) throw error;
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const STARTS_MAX = 3;

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

async function asAdmin(statement: string): Promise<void> {
  const admin = new Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
