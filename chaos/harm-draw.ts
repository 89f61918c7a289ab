/** What is harmed: any process, or the database alone in the ways in which databases go away. */
export type Target = 'everything' | 'database';

const KINDS = [
  'worker',
  'all workers',
  'standstill',
  'API',
  'Temporal',
  'PostgreSQL',
  'restart',
  'connections',
] as const;
/** What can be done to processes. */
export type HarmKind = (typeof KINDS)[number];

type Weights = Readonly<Partial<Record<HarmKind, number>>>;

/** How often each kind is drawn once all have come, in a hundred. */
const WEIGHTS: Readonly<Record<Target, Weights>> = {
  everything: { worker: 45, 'all workers': 10, standstill: 10, API: 15, Temporal: 10, PostgreSQL: 10 },
  database: { PostgreSQL: 40, restart: 30, connections: 30 },
};

/** Kinds of harm as they come. */
export interface HarmDraw {
  readonly kinds: readonly HarmKind[];
  readonly next: () => HarmKind;
}

/** Each kind comes once before any comes again, those of `first` in their order before all others. */
export function createDraw(target: Target, first: readonly HarmKind[], random: () => number): HarmDraw {
  const weights = WEIGHTS[target];
  const kinds = KINDS.filter((kind) => weights[kind] !== undefined);
  const ahead = [...first];
  const due = new Set(kinds);
  return {
    kinds,
    next: () => {
      const kind = ahead.shift() ?? drawOf(due.size > 0 ? [...due] : kinds, weights, random);
      due.delete(kind);
      return kind;
    },
  };
}

function drawOf(kinds: readonly HarmKind[], weights: Weights, random: () => number): HarmKind {
  const weightOf = (kind: HarmKind): number => weights[kind] ?? 0;
  let rest = random() * kinds.reduce((sum, kind) => sum + weightOf(kind), 0);
  for (const kind of kinds) {
    rest -= weightOf(kind);
    if (rest < 0) return kind;
  }
  throw new Error('There is no harm to draw from.');
}
