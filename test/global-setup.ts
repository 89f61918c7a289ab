import type { TestProject } from 'vitest/node';
import { migrateToLatest } from '../db/migrate.ts';
import { startEmbeddedPostgres } from '../dev/embedded-postgres.ts';
import { freePorts } from '../dev/ports.ts';
import { findTemporalCli } from '../dev/temporal-binaries.ts';
import { startTemporalServer } from '../dev/temporal-server.ts';
import { makeThrowawayHome } from '../dev/throwaway-home.ts';
import { withOwner } from '../dev/with-owner.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The shared PostgreSQL's own database, for making others (`createTestDatabase`). */
    readonly postgresUrl: string;
    /** A migrated database that every test database is a copy of. */
    readonly templateDatabase: string;
    /** host:port of a real Temporal server that keeps everything in memory. */
    readonly temporalAddress: string;
  }
}

const TEMPLATE = 'carillon_template';

/** Starts one PostgreSQL and one real Temporal server for a whole test run, and ends them after it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { path: home, remove } = await makeThrowawayHome('test');
  const [postgresPort = 0, temporalPort = 0] = await freePorts(2);
  const progress = (line: string): void => project.vitest.logger.log(line);
  const stops: (() => Promise<void>)[] = [];
  const teardown = async (): Promise<void> => {
    for (const stop of stops.toReversed()) await stop();
    await remove();
  };
  try {
    const postgres = await startEmbeddedPostgres({
      home,
      port: postgresPort,
      progress: ignore,
      durable: false,
    });
    stops.push(postgres.stop);
    const binary = await findTemporalCli({ env: process.env, progress });
    const temporal = await startTemporalServer({
      home,
      binary,
      port: temporalPort,
      uiPort: undefined,
      inMemory: true,
    });
    stops.push(temporal.stop);
    await makeTemplate(postgres.url);
    project.provide('postgresUrl', postgres.url);
    project.provide('templateDatabase', TEMPLATE);
    project.provide('temporalAddress', temporal.address);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

async function makeTemplate(adminUrl: string): Promise<void> {
  await withOwner(adminUrl, (admin) => admin.query(`create database ${TEMPLATE}`));
  const url = new URL(adminUrl);
  url.pathname = `/${TEMPLATE}`;
  await migrateToLatest(url.href);
}

function ignore(): void {
  // A database made for this run alone is not worth a line.
}
