import { type Db, openDatabase, openPool } from '../db/database.ts';
import { freePorts } from '../dev/ports.ts';
import { withOwner } from '../dev/with-owner.ts';
import { type BenchPlace, withBenchPostgres } from './bench-postgres.ts';
import { numberIn } from './run-program.ts';
import { startServer } from './start-server.ts';
import type { WorkerPlace } from './start-worker.ts';

/** Where texts are sent: a database of its own and a carrier that takes everything and counts it. */
export interface DispatchPlace extends WorkerPlace, BenchPlace {
  readonly db: Db;
}

/** What the carrier has counted. */
export interface SinkCounts {
  readonly texts: number;
  readonly requests: number;
}

/** Works in such a place, which is gone afterwards. */
export function withDispatchPlace<Result>(work: (place: DispatchPlace) => Promise<Result>): Promise<Result> {
  return withBenchPostgres(async (postgres) => {
    const { databaseUrl } = postgres;
    const [sinkPort = 0] = await freePorts(1);
    const sink = await startServer(['bench/yardsticks/sink.ts', String(sinkPort)], {});
    try {
      const db = openDatabase(
        openPool({ connectionString: databaseUrl, connectionsMax: 2, role: 'carillon_app' }),
      );
      try {
        const sinkUrl = `http://127.0.0.1:${sinkPort}`;
        return await work({ ...postgres, db, sinkUrl });
      } finally {
        await db.destroy();
      }
    } finally {
      await sink.stop();
    }
  });
}

/**
 * What the run itself says, once the carrier has counted so many texts more. What was written before is on the disk
 * when it begins. Throws an Error if it was asked to text anybody twice or not at all.
 */
export async function countedAtSink<Result>(
  place: Pick<DispatchPlace, 'databaseUrl' | 'sinkUrl'>,
  recipients: number,
  run: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly requests: number }> {
  await asOwner(place.databaseUrl, 'checkpoint');
  const before = await askSink(place.sinkUrl);
  const result = await run();
  const after = await askSink(place.sinkUrl);
  const texts = after.texts - before.texts;
  if (texts !== recipients) throw new Error(`${texts} texts went out to ${recipients} recipients.`);
  return { result, requests: after.requests - before.requests };
}

/** Runs a statement as the owner of the database. */
export async function asOwner(databaseUrl: string, statement: string): Promise<void> {
  await withOwner(databaseUrl, (owner) => owner.query(statement));
}

/** Asks the carrier what it has counted. */
export async function askSink(sinkUrl: string): Promise<SinkCounts> {
  const counts = (await (await fetch(sinkUrl)).json()) as Record<string, unknown>;
  return { texts: numberIn(counts, 'texts'), requests: numberIn(counts, 'requests') };
}
