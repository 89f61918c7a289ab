/** Counts what happened within the last `windowMs`. */
export interface SlidingWindow {
  /** 0 when one more is allowed, which then counts; else the milliseconds until it will be. */
  readonly take: (max: number) => number;
}

/** An empty window. `clock` tells milliseconds that never go back; the machine's own unless given. */
export function createWindow(windowMs: number, clock: () => number = () => performance.now()): SlidingWindow {
  let times: number[] = [];
  return {
    take: (max) => {
      const now = clock();
      const oldest = now - windowMs;
      if ((times[0] ?? now) <= oldest) times = times.filter((time) => time > oldest);
      if (times.length >= max) return Math.max(1, (times[times.length - max] ?? now) - oldest);
      times.push(now);
      return 0;
    },
  };
}
