/**
 * Real: the later of the machine's clock and what the workflow read plus the time elapsed here, so that work which was
 * queued before quiet hours and starts in them sends nothing, nor does a worker whose clock is behind or is put back.
 * Virtual: what the workflow read plus the time elapsed here.
 */
export function campaignClock(input: {
  readonly at: number;
  readonly time: 'real' | 'virtual';
}): () => number {
  const started = performance.now();
  const sinceOrdered = (): number => Math.floor(input.at + performance.now() - started);
  return input.time === 'real' ? () => Math.max(sinceOrdered(), Date.now()) : sinceOrdered;
}
