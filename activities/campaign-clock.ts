/**
 * Real: the later of what the workflow read and the machine's clock, so that work which was queued before quiet hours
 * and starts in them sends nothing. Virtual: what the workflow read plus the time elapsed here.
 */
export function campaignClock(input: {
  readonly at: number;
  readonly time: 'real' | 'virtual';
}): () => number {
  if (input.time === 'real') return () => Math.max(input.at, Date.now());
  const started = performance.now();
  return () => Math.floor(input.at + performance.now() - started);
}
