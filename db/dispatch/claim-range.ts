import { sql } from 'kysely';
import { LEASE_PACE_MS } from '../../domain/dispatch/pace.ts';
import { paceWithin } from '../../domain/dispatch/quota.ts';
import { createCosts } from '../../domain/rates.ts';
import { type Rendering, renderText } from '../../domain/render-text.ts';
import { isConstant } from '../../domain/template.ts';
import { askedTogether } from '../asked-together.ts';
import type { Trx } from '../database.ts';
import { prepareQuery } from '../prepared-query.ts';
import {
  type Asked,
  askedOf,
  type Candidate,
  candidatesOfCohort,
  candidatesOfWave,
  lowestOpenWave,
} from './candidates.ts';
import type { Claim, LeaseContext, LeaseDraft } from './lease-draft.ts';

/** Takes the next range of the lowest open wave, and judges and renders each recipient in it. */
export async function claimRange(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const range = await lockRange(trx, draft);
  return range.wave === null
    ? () => ({ kind: 'exhausted', nextDueAt: range.nextDueAt })
    : () => {
        fillDraft(draft, range.wave, range.candidates);
        return null;
      };
}

type Wave = NonNullable<LeaseDraft['wave']>;
type Range =
  | { readonly wave: Wave; readonly candidates: readonly Candidate[] }
  | { readonly wave: null; readonly nextDueAt: number | null };

function fillDraft(draft: LeaseDraft, wave: Wave, candidates: readonly Candidate[]): void {
  draft.wave = wave;
  const { context } = draft;
  const pace = paceWithin(context.sender.pace, context.sender.quotas);
  const segmentsMax = pace === null ? Number.POSITIVE_INFINITY : (pace * LEASE_PACE_MS) / 1_000;
  const render = createRendering(context);
  const costOf = createCosts({ senderType: context.sender.type, kind: context.kind, at: draft.at });
  let segments = 0;
  // They come in this order nearly always, so that sorting costs less here than a copy of each row in PostgreSQL.
  for (const candidate of candidates.toSorted((one, other) => one.ordinal - other.ordinal)) {
    const { ordinal, recipient, attempt, number, numberHash } = candidate;
    if (candidate.leftOut !== null) {
      draft.skips.push({ ordinal, recipient, reason: candidate.leftOut });
      continue;
    }
    const rendered = render(candidate);
    if (rendered.kind === 'refused') {
      draft.skips.push({ ordinal, recipient, reason: rendered.reason });
      continue;
    }
    const { text } = rendered;
    segments += rendered.segments;
    if (segments > segmentsMax && draft.people.length > 0) break;
    const costMicroUsd = costOf(candidate.country, rendered.segments);
    draft.people.push({
      ordinal,
      recipient,
      attempt,
      number,
      numberHash,
      text,
      segments: rendered.segments,
      costMicroUsd,
    });
  }
}

/**
 * The lowest open wave, locked, with whom a lease of it may hold. A lane that is just taking a range is waited for.
 * Other lanes wait for this one until it commits, so both are asked together where it is the first wave of a cohort,
 * as it nearly always is.
 */
async function lockRange(trx: Trx, draft: LeaseDraft): Promise<Range> {
  const asked = askedOf(draft);
  for (;;) {
    const [[wave], fromCohort] = await askedTogether([
      lockLowest(trx, asked),
      // The lock was given when this begins, so that it sees where the lanes before have come to.
      candidatesOfCohort(trx, asked),
    ]);
    if (wave !== undefined) {
      // A lower wave may have been opened between the two.
      const found = fromCohort.waveId === wave.id ? fromCohort : await candidatesOfWave(trx, asked, wave);
      return { wave, candidates: found.people };
    }
    // What was the lowest may have been taken to its end meanwhile.
    const [waiting] = await askForWaiting(trx, asked);
    if (waiting?.isOpen !== true) return { wave: null, nextDueAt: waiting?.dueAt?.getTime() ?? null };
  }
}

const lockLowest = prepareQuery((db, asked: Asked) =>
  sql<Wave>`
    select w.id, w.wave as number, w.repeats, w.round, w.next_ordinal as "nextOrdinal"
    from waves w where w.id = ${lowestOpenWave(asked)} and w.next_ordinal < w.size for update`.compile(db),
);

const askForWaiting = prepareQuery((db, asked: Asked) =>
  sql<{ isOpen: boolean; dueAt: Date | null }>`
    select ${lowestOpenWave(asked)} is not null as "isOpen", min(due_at) as "dueAt"
    from waves where message_key = ${asked.messageKey} and next_ordinal < size`.compile(db),
);

/** What each gets; a text that is the same for everybody is made once. */
function createRendering(context: LeaseContext): (candidate: Candidate) => Rendering {
  const { name, senderName } = context.account;
  const render = ({ firstName, lastName, number, custom }: Candidate): Rendering =>
    renderText(context, { firstName, lastName, number, custom: custom ?? {}, account: { name, senderName } });
  if (!isConstant(context.template)) return render;
  let same: Rendering | null = null;
  return (candidate) => {
    same ??= render(candidate);
    return same;
  };
}
