import { numbersOf } from '../dev/sending-account.ts';
import { until } from '../dev/until.ts';
import { HOLD_SCOPES, type HoldScope } from '../domain/hold.ts';
import type { ChaosAccount, ChaosCampaign } from './account.ts';

/** Two campaigns of their own numbers, so that the carrier's ledger tells them apart. */
export interface HoldRounds {
  readonly run: (round: HoldRound) => Promise<HoldRoundResult>;
}

/** What one round does. */
export interface HoldRound {
  readonly name: string;
  readonly scope: HoldScope;
  /** How many texts of the first campaign have been accepted when the hold is placed. */
  readonly acceptedBefore: number;
}

/** What was seen: the most that may go out after the answer, and what did. */
export interface HoldRoundResult {
  readonly scope: HoldScope;
  readonly before: number;
  readonly inFlight: number;
  readonly after: number;
}

const AREAS = ['415', '212'] as const;

interface Placed {
  readonly id: string;
  readonly inFlight: number;
}

/** Makes the contacts of all rounds. */
export async function prepareHoldRounds(account: ChaosAccount, recipients: number): Promise<HoldRounds> {
  const lists: string[] = [];
  for (const area of AREAS) lists.push(await account.list(`Area ${area}`, numbersOf(area, recipients)));
  return { run: (round) => runRound(account, lists, recipients, round) };
}

/**
 * Two campaigns send; a hold is placed on the first or on both. Throws an Error when more goes out after its answer
 * than it named, when what it does not reach is kept too, or when anybody is texted twice or never in the end.
 */
async function runRound(
  account: ChaosAccount,
  lists: readonly string[],
  recipients: number,
  round: HoldRound,
): Promise<HoldRoundResult> {
  const startedAt = Date.now();
  const campaigns: ChaosCampaign[] = [];
  for (const [index, list] of lists.entries()) {
    campaigns.push(await account.launch(`${round.name}, ${AREAS[index]}`, list));
  }
  const [first, second] = campaigns;
  if (first === undefined || second === undefined) throw new Error('Two campaigns were not launched.');
  await until(
    () => account.campaign(first.id),
    ({ report }) => report.accepted >= round.acceptedBefore,
  );

  const owner = round.scope === 'installation' ? account.operator : account.api;
  const hold = await owner.post<Placed>('/v1/holds', holdOn(account, first, round.scope));
  const answeredAt = Date.now();
  await until(
    () => owner.get<Placed>(`/v1/holds/${hold.id}`),
    (now) => now.inFlight === 0,
  );
  const isNarrow = round.scope === 'campaign' || round.scope === 'message';
  // The other campaign ends, or the workers have long noticed: whatever was to go out has gone out.
  await until(
    () => account.campaign(isNarrow ? second.id : first.id),
    ({ status }) => status === (isNarrow ? 'finished' : 'started'),
  );
  const held = (dst: string): boolean => !isNarrow || dst.includes(`1${AREAS[0]}`);
  const lines = (await account.ledgerSince(startedAt)).filter((line) => held(line.dst));
  const after = lines.filter((line) => line.time > answeredAt).length;
  if (after > hold.inFlight) {
    throw new Error(`${round.name}: ${after} went out after a hold that named ${hold.inFlight}.`);
  }

  await owner.remove(`/v1/holds/${hold.id}`);
  for (const { id } of campaigns) {
    const { report } = await until(
      () => account.campaign(id),
      ({ status }) => status === 'finished',
    );
    if (report.accepted !== recipients) {
      throw new Error(`${round.name}: ${report.accepted} of ${recipients} were texted in the end.`);
    }
  }
  const texted = (await account.ledgerSince(startedAt)).map((line) => line.dst);
  if (texted.length !== 2 * recipients || new Set(texted).size !== texted.length) {
    throw new Error(`${round.name}: ${texted.length} texts for ${2 * recipients} recipients.`);
  }
  return { scope: round.scope, before: lines.length - after, inFlight: hold.inFlight, after };
}

function holdOn(account: ChaosAccount, campaign: ChaosCampaign, scope: HoldScope): Record<string, string> {
  const reason = 'It has to be checked.';
  const [message] = campaign.messages;
  switch (scope) {
    case 'installation':
    case 'account':
      return { scope, reason };
    case 'sender':
      return { scope, scopeId: account.senderId, reason };
    case 'campaign':
      return { scope, scopeId: campaign.id, reason };
    case 'message':
      return { scope, scopeId: message?.id ?? '', reason };
  }
}

/** A scope by its number; every scope comes up. */
export function scopeOf(round: number): HoldScope {
  return HOLD_SCOPES[round % HOLD_SCOPES.length] ?? 'account';
}
