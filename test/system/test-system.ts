import { startSystem, type System } from '../../dev/launcher.ts';
import { freePortSettings } from '../../dev/system-config.ts';
import { deleteTemporalData } from '../../dev/temporal-server.ts';
import { makeThrowawayHome } from '../../dev/throwaway-home.ts';
import { createTestDatabase } from '../support/test-database.ts';

/** What a test wants of a whole system. */
export interface TestSystemOptions {
  /** `shared`: a database on the run's PostgreSQL. `own`: an embedded one that the test may kill. */
  readonly postgres?: 'shared' | 'own';
  /** `file`: Temporal's data outlive its process, and can be deleted. */
  readonly temporal?: 'memory' | 'file';
  readonly env?: Readonly<Record<string, string>>;
  /** Prepares the home before anything starts in it. Resolves with what undoes that once everything has ended. */
  readonly prepare?: (home: string) => Promise<() => Promise<void>>;
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
  /** Deletes all of an embedded Temporal's data; its part has to be stopped or killed before. */
  deleteTemporalData(): Promise<void>;
  /** Ends all parts and removes the data. */
  stop(): Promise<void>;
}

/** Starts API, worker, sandbox and Temporal as `npm start` does, on a fresh database. */
export async function startTestSystem(options: TestSystemOptions = {}): Promise<TestSystem> {
  const { path: home, remove: removeHome } = await makeThrowawayHome('test');
  const undo = await prepareOrRemove(home, removeHome, options);
  const database =
    options.postgres === 'own' ? undefined : await orUndo(createTestDatabase(), undo, removeHome);
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
    await undo();
    await removeHome();
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
    deleteTemporalData: async () => {
      if (system.part('temporal').pid() !== undefined) throw new Error('Temporal still runs: stop it first.');
      await deleteTemporalData(home);
    },
    stop: async () => {
      await system.stop();
      await remove();
    },
  };
}

async function prepareOrRemove(
  home: string,
  removeHome: () => Promise<void>,
  { prepare }: TestSystemOptions,
): Promise<() => Promise<void>> {
  try {
    return prepare === undefined ? () => Promise.resolve() : await prepare(home);
  } catch (error) {
    await removeHome();
    throw error;
  }
}

/** Undoes what was made before it when it cannot be made. */
async function orUndo<Made>(
  making: Promise<Made>,
  undo: () => Promise<void>,
  removeHome: () => Promise<void>,
): Promise<Made> {
  try {
    return await making;
  } catch (error) {
    await undo();
    await removeHome();
    throw error;
  }
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
