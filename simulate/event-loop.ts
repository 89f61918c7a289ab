/** Time that moves from event to event; events of one instant run in the order in which they were ordered. */
export interface EventLoop {
  /** Machine time in milliseconds since the simulation began. */
  readonly now: () => number;
  /** How many events have run: a finer order than time. */
  readonly step: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  /** Runs events until there are none, or the instant is reached. Resolves with how many ran. */
  readonly run: (untilMs: number) => Promise<number>;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** More events than any seed needs; a protocol that spins would never come to its end otherwise. */
const STEPS_MAX = 20_000;

/** A loop at its beginning. */
export function createEventLoop(): EventLoop {
  const heap: Event[] = [];
  let now = 0;
  let steps = 0;
  let ordered = 0;

  return {
    now: () => now,
    step: () => steps,
    after: (delayMs, run) => {
      ordered += 1;
      push(heap, { at: now + Math.max(0, delayMs), order: ordered, run });
    },
    run: async (untilMs) => {
      const before = steps;
      for (let next = heap[0]; next !== undefined && next.at <= untilMs; next = heap[0]) {
        pop(heap);
        now = next.at;
        steps += 1;
        if (steps > STEPS_MAX) throw new Error(`The simulation did not end within ${STEPS_MAX} events.`);
        next.run();
        // Whatever the event has woken runs until it waits again: an immediate comes after all microtasks.
        await new Promise(setImmediate);
      }
      now = Math.max(now, Number.isFinite(untilMs) ? untilMs : now);
      return steps - before;
    },
  };
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function push(heap: Event[], event: Event): void {
  let index = heap.length;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(event, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const [one, other] = [heap[left], heap[left + 1]];
    if (one === undefined) break;
    const [child, smaller] = other !== undefined && isBefore(other, one) ? [left + 1, other] : [left, one];
    if (!isBefore(smaller, last)) break;
    heap[index] = smaller;
    index = child;
  }
  heap[index] = last;
}
