import type { LeasedRecipient } from './dispatch-store.ts';
import { addToCounter, campaignOf, entryOf, type MemoryLedger } from './memory-ledger.ts';
import { countInRound, isSettled } from './memory-repeats.ts';
import type { MemoryMessage, MemoryWave } from './memory-rows.ts';
import { LEASE_PACE_MS } from './pace.ts';

/** A range of a wave in the making. */
export interface Range {
  readonly people: LeasedRecipient[];
  /** Who is refused, by the index in the wave. */
  readonly skips: { readonly index: number; readonly recipient: number; readonly reason: string }[];
  /** Index of each of the people in the wave. */
  readonly indexes: number[];
}

/** Takes so many members of the wave, no more than the pace is worth, and those apart who are not to be texted. */
export function takeRange(
  ledger: MemoryLedger,
  message: MemoryMessage,
  pace: number | null,
  wave: MemoryWave,
  width: number,
): Range {
  const range: Range = { people: [], skips: [], indexes: [] };
  const { audience } = campaignOf(ledger, message.campaignId);
  const segmentsMax = pace === null ? Number.POSITIVE_INFINITY : (pace * LEASE_PACE_MS) / 1_000;
  const end = Math.min(wave.next + width, wave.members.length);
  let taken = 0;
  for (let index = wave.next; index < end; index += 1) {
    const member = wave.members[index];
    const person = member === undefined ? undefined : audience?.[member.recipient - 1];
    if (member === undefined || person === undefined)
      throw new Error('A wave names somebody who is not there.');
    const settled =
      wave.repeats !== null && isSettled(entryOf(message, member.recipient), member.attempt)
        ? 'accepted_meanwhile'
        : undefined;
    const reason = ledger.suppressed.get(person.number) ?? settled;
    if (reason !== undefined) {
      range.skips.push({ index, recipient: member.recipient, reason });
      continue;
    }
    const segments = message.segments + (message.isConstant ? 0 : (person.nameSegments ?? 0));
    taken += segments;
    if (taken > segmentsMax && range.people.length > 0) break;
    range.indexes.push(index);
    range.people.push({
      recipient: member.recipient,
      attempt: member.attempt,
      number: person.number,
      numberHash: person.number,
      text: message.isConstant ? message.id : `${message.id} ${person.name}`,
      segments,
      costMicroUsd: segments * ledger.segmentMicroUsd,
    });
  }
  return range;
}

/** Keeps the first `count` people, and those refused before the first who is cut off. */
export function narrowTo(range: Range, count: number): void {
  const cut = range.indexes[count];
  if (cut === undefined || count === 0) return;
  range.people.length = count;
  range.indexes.length = count;
  const kept = range.skips.filter((skip) => skip.index < cut);
  range.skips.splice(0, range.skips.length, ...kept);
}

/** Moves the wave behind the range and counts whom it passes over. Returns how many those are. */
export function commitRange(message: MemoryMessage, wave: MemoryWave, range: Range): number {
  wave.next = Math.max(...range.indexes, ...range.skips.map((skip) => skip.index)) + 1;
  for (const skip of range.skips) {
    // Whoever is left out of a wave that repeats stays what he was.
    if (wave.repeats !== null) {
      countInRound(message, wave.repeats, 'left_out');
      continue;
    }
    entryOf(message, skip.recipient).skip = skip.reason;
    addToCounter(message, `skipped:${skip.reason}`, 1);
    if (wave.number > 0) addToCounter(message, 'left_deferral', 1);
  }
  return range.skips.length;
}
