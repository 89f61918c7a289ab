import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../dev/launcher.ts';
import type { Part } from '../dev/supervisor.ts';
import { deleteTemporalData } from '../dev/temporal-server.ts';
import { withOwner } from '../dev/with-owner.ts';

/** What is harmed: any process, or the database alone in the ways in which databases go away. */
export type Target = 'everything' | 'database';

/** What has been done to the processes. */
export interface Harm {
  kills: number;
  /** Workers that may have lost what they had leased: killed, frozen, or left without database or engine. */
  workersLost: number;
  /** Workers that stood still for longer than their leases live. */
  frozen: number;
}

/** Harms one process, or several, and resolves once it is done; what ends is started again by its supervisor. */
export interface Victims {
  readonly harmNext: (isHalfWay: boolean) => Promise<string>;
  /** Lets whoever stands still go on, and resolves when all run. */
  readonly settle: () => Promise<void>;
  readonly harm: Readonly<Harm>;
}

/** Longer than a lease and its heartbeats live. */
const FREEZE_MS = 40_000;

/** Processes of this system and these workers, chosen by a seeded random. */
export function createVictims(
  system: System,
  workers: readonly Part[],
  random: () => number,
  target: Target = 'everything',
): Victims {
  const harm: Harm = { kills: 0, workersLost: 0, frozen: 0 };
  const thawing = new Set<Promise<void>>();

  const kill = async (part: Part): Promise<void> => {
    const pid = await pidOf(part);
    const ended = part.ended();
    process.kill(pid, 'SIGKILL');
    await ended;
    harm.kills += 1;
  };
  const oneWorker = (): Part => {
    const worker = workers[Math.floor(random() * workers.length)];
    if (worker === undefined) throw new Error('There is no worker.');
    return worker;
  };
  const freeze = async (part: Part): Promise<void> => {
    const pid = await pidOf(part);
    process.kill(pid, 'SIGSTOP');
    harm.frozen += 1;
    harm.workersLost += 1;
    const thaw = delay(FREEZE_MS).then(() => {
      // It may have been killed meanwhile.
      if (part.pid() === pid) process.kill(pid, 'SIGCONT');
      thawing.delete(thaw);
    });
    thawing.add(thaw);
  };
  const harmDatabase = async (): Promise<string> => {
    const postgres = system.part('postgres');
    await pidOf(postgres);
    const draw = random();
    harm.workersLost += workers.length;
    if (draw < 0.4) {
      await kill(postgres);
      return 'PostgreSQL was killed';
    }
    harm.kills += 1;
    if (draw < 0.7) {
      await postgres.stop();
      await postgres.start();
      return 'PostgreSQL was restarted in order';
    }
    return `PostgreSQL broke ${await breakConnections(system.urls.database)} connections off`;
  };

  return {
    harm,
    harmNext: async (isHalfWay) => {
      if (target === 'database') return harmDatabase();
      if (isHalfWay) {
        const temporal = system.part('temporal');
        await temporal.kill();
        await deleteTemporalData(system.home);
        await temporal.start();
        harm.kills += 1;
        harm.workersLost += workers.length;
        return 'Temporal was killed and its data deleted';
      }
      const draw = random();
      if (draw < 0.45) {
        const worker = oneWorker();
        await kill(worker);
        harm.workersLost += 1;
        return `${worker.name} was killed`;
      }
      if (draw < 0.55) {
        await Promise.all(workers.map(kill));
        harm.workersLost += workers.length;
        return 'all workers were killed at once';
      }
      if (draw < 0.65) {
        const worker = oneWorker();
        await freeze(worker);
        return `${worker.name} stands still for ${FREEZE_MS / 1_000} s`;
      }
      if (draw < 0.8) {
        await kill(system.part('api'));
        return 'the API was killed';
      }
      const [name, words] =
        draw < 0.9 ? (['temporal', 'Temporal'] as const) : (['postgres', 'PostgreSQL'] as const);
      await kill(system.part(name));
      harm.workersLost += workers.length;
      return `${words} was killed`;
    },
    settle: async () => {
      await Promise.all(thawing);
      for (const part of [...workers, ...system.parts.values()]) await pidOf(part);
    },
  };
}

/** The process of a part that may just be started again. */
async function pidOf(part: Part): Promise<number> {
  for (;;) {
    const pid = part.pid();
    if (pid !== undefined) return pid;
    await delay(100);
  }
}

/** Resolves with how many there were. */
function breakConnections(databaseUrl: string): Promise<number> {
  return withOwner(databaseUrl, async (owner) => {
    const { rowCount } = await owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    return rowCount ?? 0;
  });
}
