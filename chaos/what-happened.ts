import type { HarmKind } from './harm-draw.ts';
import type { Harm } from './victims.ts';

/** What harm there was, in words. */
export interface WhatHappened {
  /** Kinds of harm that never came although there were enough for each: each comes once before any comes again. */
  readonly missing: readonly HarmKind[];
  readonly counts: string;
}

/** Counts what was done. A run proves only what it has met. */
export function whatHappened(
  { events }: Readonly<Harm>,
  kinds: readonly HarmKind[],
  kills: number,
): WhatHappened {
  const times = (kind: string): number => events.filter(({ what }) => what === kind).length;
  return {
    missing: kills > kinds.length ? kinds.filter((kind) => times(kind) === 0) : [],
    counts: [...new Set(events.map(({ what }) => what))].map((what) => `${times(what)} ${what}`).join(', '),
  };
}
