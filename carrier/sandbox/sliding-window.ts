/** Counts what happened within the last `windowMs` and says whether one more is allowed. */
export function createWindow(windowMs: number): { readonly take: (max: number) => boolean } {
  let times: number[] = [];
  return {
    take: (max) => {
      const now = performance.now();
      const oldest = now - windowMs;
      if ((times[0] ?? now) < oldest) times = times.filter((time) => time >= oldest);
      if (times.length >= max) return false;
      times.push(now);
      return true;
    },
  };
}
