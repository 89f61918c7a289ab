import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../dev/launcher.ts';
import type { Part } from '../dev/supervisor.ts';
import { deleteTemporalData } from '../dev/temporal-server.ts';
import { withOwner } from '../dev/with-owner.ts';
import { createDraw, type HarmKind, type Target } from './harm-draw.ts';

/** One harm that was done, in epoch milliseconds. */
export interface HarmEvent {
  readonly what: string;
  readonly beganAt: number;
  /** When whoever it ended ran again. */
  readonly endedAt: number;
  /** Workers that may have lost what they had leased: killed, frozen, or left without database or engine. */
  readonly workers: number;
}

/** What has been done to the processes. */
export interface Harm {
  readonly events: HarmEvent[];
  /** Workers that stood still for longer than their leases live. */
  frozen: number;
}

/** Harms one process, or several, and resolves once it is done; what ends is started again by its supervisor. */
export interface Victims {
  readonly harmNext: () => Promise<string>;
  /** Kills Temporal and deletes its data; between the two the world can be looked at as they leave it. */
  readonly loseEngine: (look?: () => Promise<void>) => Promise<string>;
  /** Lets whoever stands still go on, and resolves when all run. */
  readonly settle: () => Promise<void>;
  /** Every kind of harm that is drawn from. */
  readonly kinds: readonly HarmKind[];
  readonly harm: Readonly<Harm>;
}

/** Longer than a lease and its heartbeats live. */
const FREEZE_MS = 40_000;

/** What was done to how many workers, in words. */
interface Deed {
  readonly words: string;
  readonly workers: number;
}

/**
 * Processes of this system and these workers, chosen by a seeded random. Each kind of harm comes once before any comes
 * again, those of `first` in their order before all others.
 */
export function createVictims(
  system: System,
  workers: readonly Part[],
  random: () => number,
  { target = 'everything', first = [] }: { readonly target?: Target; readonly first?: readonly HarmKind[] },
): Victims {
  const harm: Harm = { events: [], frozen: 0 };
  const thawing = new Set<Promise<void>>();
  const draw = createDraw(target, first, random);

  const kill = async (part: Part): Promise<void> => {
    const pid = await pidOf(part);
    const ended = part.ended();
    process.kill(pid, 'SIGKILL');
    await ended;
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
    const thaw = delay(FREEZE_MS).then(() => {
      // It may have been killed meanwhile.
      if (part.pid() === pid) process.kill(pid, 'SIGCONT');
      thawing.delete(thaw);
    });
    thawing.add(thaw);
  };

  const deeds: Readonly<Record<HarmKind, () => Promise<Deed>>> = {
    worker: async () => {
      const worker = oneWorker();
      await kill(worker);
      return { words: `${worker.name} was killed`, workers: 1 };
    },
    'all workers': async () => {
      await Promise.all(workers.map(kill));
      return { words: 'all workers were killed at once', workers: workers.length };
    },
    standstill: async () => {
      const worker = oneWorker();
      await freeze(worker);
      return { words: `${worker.name} stands still for ${FREEZE_MS / 1_000} s`, workers: 1 };
    },
    API: async () => {
      await kill(system.part('api'));
      return { words: 'the API was killed', workers: 0 };
    },
    Temporal: async () => {
      await kill(system.part('temporal'));
      return { words: 'Temporal was killed', workers: workers.length };
    },
    PostgreSQL: async () => {
      await kill(system.part('postgres'));
      return { words: 'PostgreSQL was killed', workers: workers.length };
    },
    restart: async () => {
      const postgres = system.part('postgres');
      await pidOf(postgres);
      await postgres.stop();
      await postgres.start();
      return { words: 'PostgreSQL was restarted in order', workers: workers.length };
    },
    connections: async () => {
      await pidOf(system.part('postgres'));
      const broken = await breakConnections(system.urls.database);
      return { words: `PostgreSQL broke ${broken} connections off`, workers: workers.length };
    },
  };
  const loseEngine = async (look: () => Promise<void>): Promise<Deed> => {
    const temporal = system.part('temporal');
    await temporal.kill();
    await look();
    await deleteTemporalData(system.home);
    await temporal.start();
    return { words: 'Temporal was killed and its data deleted', workers: workers.length };
  };

  const noted = async (what: string, deed: () => Promise<Deed>): Promise<string> => {
    const beganAt = Date.now();
    const { words, workers: hit } = await deed();
    harm.events.push({ what, beganAt, endedAt: Date.now(), workers: hit });
    return words;
  };

  return {
    harm,
    kinds: draw.kinds,
    harmNext: () => {
      const kind = draw.next();
      return noted(kind, deeds[kind]);
    },
    loseEngine: (look = () => Promise.resolve()) => noted("Temporal's data", () => loseEngine(look)),
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
