/** Notes what happens, with ids and counts only. */
export type Trace = (who: string, what: string) => void;

/** A trace that keeps its lines, each with the machine time; one that keeps none costs nothing. */
export function createTrace(
  now: () => number,
  keeps: boolean,
): { readonly trace: Trace; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    trace: keeps
      ? (who, what) => {
          lines.push(`${(now() / 1_000).toFixed(3).padStart(10)} ${who.padEnd(10)} ${what}`);
        }
      : () => undefined,
  };
}
