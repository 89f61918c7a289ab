/** A text that waits for its turn. */
export interface QueuedText {
  readonly row: number;
  /** What it takes of the number's pace. */
  readonly units: number;
  /** On `performance.now()`'s clock. */
  readonly expiresAtMs: number;
}

/** First in, first out, at the pace of the number. */
export interface NumberQueue {
  readonly push: (text: QueuedText) => void;
  /** Looks again: the pace may have changed. */
  readonly pump: () => void;
  readonly size: () => number;
  readonly clear: () => void;
}

const TIMER_MS_MAX = 60_000;
const COMPACT_FROM = 1_024;

/** `unitsPerSecond` is asked each time, null is unlimited. What waits costs one small record. */
export function createNumberQueue(deps: {
  readonly unitsPerSecond: () => number | null;
  readonly release: (row: number) => void;
  readonly expire: (row: number) => void;
}): NumberQueue {
  let texts: (QueuedText & { readonly pushedAtMs: number })[] = [];
  let head = 0;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let lastUnits = 0;
  let timer: NodeJS.Timeout | null = null;

  const freeAtMs = (): number => {
    const perSecond = deps.unitsPerSecond();
    return perSecond === null ? lastAtMs : lastAtMs + (lastUnits * 1_000) / perSecond;
  };
  const drop = (): void => {
    head += 1;
    if (head < COMPACT_FROM || head * 2 < texts.length) return;
    texts = texts.slice(head);
    head = 0;
  };
  const pump = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    for (let text = texts[head]; text !== undefined; text = texts[head]) {
      const now = performance.now();
      const freeAt = freeAtMs();
      if (now < freeAt && now < text.expiresAtMs) {
        const waitMs = Math.min(freeAt, text.expiresAtMs) - now;
        timer = setTimeout(pump, Math.min(TIMER_MS_MAX, Math.ceil(waitMs)));
        return;
      }
      drop();
      if (now >= text.expiresAtMs) {
        deps.expire(text.row);
        continue;
      }
      // A timer that fires late must not slow the queue down, so the turn counts from when it was due.
      lastAtMs = Math.max(freeAt, text.pushedAtMs);
      lastUnits = text.units;
      deps.release(text.row);
    }
  };
  return {
    pump,
    size: () => texts.length - head,
    push: (text) => {
      texts.push({ ...text, pushedAtMs: performance.now() });
      if (timer === null) pump();
    },
    clear: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      texts = [];
      head = 0;
    },
  };
}
