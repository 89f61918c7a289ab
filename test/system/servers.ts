import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Client } from 'pg';
import { inject } from 'vitest';
import { startSystem, type System } from '../../dev/launcher.ts';
import { removeOutsidePlace } from '../../dev/postgres-place.ts';
import { freePortSettings } from '../../dev/system-config.ts';
import { findTestServer } from '../../dev/temporal-binaries.ts';

/** A database of one test file's own, with the newest schema and nothing in it. */
export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** Makes a database by copying the migrated template, which takes a tenth of a second. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(`create database ${name} template ${inject('templateDatabase')}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(`drop database if exists ${name} with (force)`) };
}

/** What a test wants of a whole system. */
export interface TestSystemOptions {
  /** `shared`: a database on the run's PostgreSQL. `own`: an embedded one that the test may kill. */
  readonly postgres?: 'shared' | 'own';
  /** `file`: Temporal's data outlive its process, and can be deleted. */
  readonly temporal?: 'memory' | 'file';
  readonly env?: Readonly<Record<string, string>>;
  /** Told what the launcher says; ignored unless given. */
  readonly progress?: (line: string) => void;
}

/** A whole system of a test's own, on free ports with a home of its own. */
export interface TestSystem {
  readonly home: string;
  /** The system that runs now; another one after `restart`. */
  current(): System;
  /** Ends all parts and starts them again on the same data. */
  restart(): Promise<System>;
  /** Ends all parts and removes the data. */
  stop(): Promise<void>;
}

/** Starts API, worker, sandbox and Temporal as `npm start` does, on a fresh database. */
export async function startTestSystem(options: TestSystemOptions = {}): Promise<TestSystem> {
  const home = await mkdtemp(join(tmpdir(), 'carillon-test-'));
  // The database server's user has to get in when the tests run as root.
  await chmod(home, 0o711);
  const database = options.postgres === 'own' ? undefined : await createTestDatabase();
  // A restart keeps them: callbacks under way are addressed to the old ones.
  const ports = await freePortSettings();
  const start = (): Promise<System> =>
    startSystem({
      home,
      ports: 'default',
      env: { ...ownEnvironment(), ...ports, ...(database && { DATABASE_URL: database.url }), ...options.env },
      temporalInMemory: options.temporal !== 'file',
      progress: options.progress ?? (() => undefined),
    });
  const remove = async (): Promise<void> => {
    await database?.drop();
    await removeOutsidePlace(home);
    await rm(home, { recursive: true, force: true });
  };
  let system: System;
  try {
    system = await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    home,
    current: () => system,
    restart: async () => {
      await system.stop();
      system = await start();
      return system;
    },
    stop: async () => {
      await system.stop();
      await remove();
    },
  };
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

/** What the machine says of itself, without what would point the system at parts of somebody's own. */
function ownEnvironment(): Record<string, string> {
  const ours =
    /^(DATABASE_URL|TEMPORAL_\w+|CARRIER|PLIVO_\w+|PUBLIC_URL|CARILLON_(KEYS|HASH_KEY|HOME|CRASH_AT|TIME)|HOST|PORT)$/;
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !ours.test(entry[0]),
    ),
  );
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
