import { migrateToLatest } from '../db/migrate.ts';
import { startEmbeddedPostgres } from '../dev/embedded-postgres.ts';
import { freePorts } from '../dev/ports.ts';
import { inThrowawayHome } from '../dev/throwaway-home.ts';

/** Where a bench works. */
export interface BenchPlace {
  /** A folder of its own, gone afterwards. */
  readonly folder: string;
  /** A migrated database that is otherwise empty, as its owner. */
  readonly databaseUrl: string;
  /** Of the server, for whoever kills it. */
  readonly postgresPid: () => number;
  /** Waits until the server has been killed, and starts it again on the same data. */
  readonly restartPostgres: () => Promise<void>;
}

/** Works beside a PostgreSQL that is the bench's alone, with the settings of production. */
export function withBenchPostgres<Result>(work: (place: BenchPlace) => Promise<Result>): Promise<Result> {
  return inThrowawayHome('bench', async (folder) => {
    const [port = 0] = await freePorts(1);
    const start = () => startEmbeddedPostgres({ home: folder, port, progress: () => undefined });
    let postgres = await start();
    try {
      await migrateToLatest(postgres.url);
      return await work({
        folder,
        databaseUrl: postgres.url,
        postgresPid: () => postgres.child.pid,
        restartPostgres: async () => {
          await postgres.child.exited;
          postgres = await start();
        },
      });
    } finally {
      await postgres.stop();
    }
  });
}
