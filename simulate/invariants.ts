import { campaignOf } from '../domain/dispatch/memory-ledger.ts';
import type { MemoryAttempt, MemoryEntry, MemoryMessage } from '../domain/dispatch/memory-rows.ts';
import { lastOf } from '../domain/dispatch/memory-repeats.ts';
import { type MessageReport, reportOf } from '../domain/report.ts';
import { roundReportOf } from '../domain/round.ts';
import type { Acceptance } from './carrier.ts';
import { costUsed, textsOf } from './true-costs.ts';
import type { World } from './world.ts';

/** Compares our ledger with the carrier's once everything has come to its end, and blames what does not hold. */
export function checkInvariants(world: World, carrierLedger: readonly Acceptance[]): void {
  const { ledger, witness } = world;
  for (const message of ledger.messages.values()) {
    if (message.status !== 'sent' && message.status !== 'expired') {
      witness.blame('I7', `${message.id} is ${message.status} at the end`);
    }
    const accepted = carrierLedger.filter((one) => one.text.split(' ')[0] === message.id);
    checkNobodyTwice(world, message, accepted);
    checkStates(world, message);
    checkTruth(world, message, carrierLedger);
  }
  checkSpend(world, carrierLedger);
}

/** I1: at most one acceptance per message and number whose final status is not `failed`. */
function checkNobodyTwice(world: World, message: MemoryMessage, accepted: readonly Acceptance[]): void {
  const times = new Map<string, number>();
  for (const one of accepted) {
    if (one.final === 'failed') continue;
    times.set(one.number, (times.get(one.number) ?? 0) + 1);
  }
  for (const [number, count] of times) {
    if (count > world.witness.textsMax(message.id, number))
      world.witness.blame('I1', `${recipientOf(world, message, number)} got ${message.id} ${count} times`);
  }
}

/** I2 and I7: everybody has one final state, and the counters say the same as the rows. */
function checkStates(world: World, message: MemoryMessage): void {
  const { witness, ledger } = world;
  const { audience } = campaignOf(ledger, message.campaignId);
  const size = audience?.length ?? 0;
  const states = { accepted: 0, rejected: 0, unknown: 0, skipped: 0, expired: 0 };
  for (let recipient = 1; recipient <= size; recipient += 1) {
    const state = stateOf(message, recipient);
    if (state === null) witness.blame('I2', `recipient ${recipient} of ${message.id} was forgotten`);
    else states[state] += 1;
  }
  const report = reportOf(message.counters, size);
  checkLastWords(world, message, report);
  const told = {
    accepted: report.accepted,
    rejected: sum(report.rejected),
    unknown: report.unknown,
    skipped: sum(report.skipped),
    expired: report.expired,
  };
  if (JSON.stringify(told) !== JSON.stringify(states) || report.deferred !== 0 || report.waiting !== 0) {
    const rest = `${report.deferred} deferred, ${report.waiting} waiting`;
    witness.blame(
      'I2',
      `${message.id} reports ${JSON.stringify(told)}, ${rest}, and is ${JSON.stringify(states)}`,
    );
  }
}

/** What is told of final statuses, of unknown attempts and of rounds is what the rows say. */
function checkLastWords(world: World, message: MemoryMessage, report: MessageReport): void {
  const { witness } = world;
  const counted = [...message.entries.values()].flatMap((entry) => countedOf(entry) ?? []);
  const countOf = (status: string): number => counted.filter((one) => one.final?.status === status).length;
  const told = [report.delivered, sum(report.undelivered), sum(report.failed), report.awaitingReport];
  const isAccepted = counted.filter((one) => one.result === 'accepted' || one.resolved !== null);
  const awaited = isAccepted.filter((one) => one.final === null).length;
  const are = [countOf('delivered'), countOf('undelivered'), countOf('failed'), awaited];
  if (told.join(' ') !== are.join(' ')) {
    witness.blame('I2', `${message.id} reports last words ${told.join(' ')} and has ${are.join(' ')}`);
  }
  for (let round = 1; round <= message.rounds; round += 1) {
    const { waiting, accepted, delivered, undelivered, failed } = roundReportOf(message.counters, round);
    if (waiting !== 0) witness.blame('I2', `round ${round} of ${message.id} ends with ${waiting} waiting`);
    if (delivered + undelivered + failed > accepted) {
      witness.blame('I2', `round ${round} of ${message.id} has more last words than texts`);
    }
  }
}

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}

function stateOf(
  message: MemoryMessage,
  recipient: number,
): 'accepted' | 'rejected' | 'unknown' | 'skipped' | 'expired' | null {
  const entry = message.entries.get(recipient);
  if (entry === undefined) return null;
  if (entry.skip !== null) return entry.skip === 'expired' ? 'expired' : 'skipped';
  const last = countedOf(entry);
  if (last === undefined || last.result === 'not_accepted') return null;
  return last.result === 'unknown' && last.resolved !== null ? 'accepted' : last.result;
}

/** The attempt that counts for a recipient. */
function countedOf({ attempts }: MemoryEntry): MemoryAttempt | undefined {
  return lastOf(attempts.filter((one) => one.result !== 'not_accepted'));
}

/** I3: what is said of a recipient is what the carrier knows, and I6: nobody is unknown without a cause. */
function checkTruth(world: World, message: MemoryMessage, carrierLedger: readonly Acceptance[]): void {
  const accepted = carrierLedger.filter((one) => one.text.split(' ')[0] === message.id);
  const { ledger, witness } = world;
  const { audience } = campaignOf(ledger, message.campaignId);
  const byUuid = new Map(accepted.map((one) => [one.uuid, one]));
  const byPost = new Map(accepted.map((one) => [`${one.leaseId} ${one.number}`, one]));
  const explained = new Set<Acceptance>();
  for (const [recipient, entry] of message.entries) {
    const number = audience?.[recipient - 1]?.number ?? '';
    for (const attempt of entry.attempts) {
      const who = `attempt ${attempt.attempt} of recipient ${recipient} of ${message.id}`;
      const truth = byPost.get(`${attempt.leaseId} ${number}`);
      if (truth !== undefined) explained.add(truth);
      const isAccepted = attempt.result === 'accepted' || attempt.resolved !== null;
      if (isAccepted && truth === undefined) witness.blame('I3', `${who} is called accepted and was not`);
      if (!isAccepted && attempt.result !== 'unknown' && truth !== undefined) {
        witness.blame('I3', `${who} is called ${attempt.result} and was accepted`);
      }
      const uuid = attempt.carrierUuid ?? attempt.resolved?.uuid ?? null;
      if (uuid !== null && byUuid.get(uuid)?.number !== number) {
        witness.blame('I3', `${who} is bound to somebody else's uuid`);
      }
      if (attempt.final !== null && truth !== undefined && attempt.final.status !== truth.final) {
        witness.blame('I3', `${who} is called ${attempt.final.status} and is ${truth.final}`);
      }
      const reported = witness.wasReported(attempt.leaseId, number);
      if (reported !== 'not' && !isAccepted) witness.blame('I3', `${who} was proved and is not accepted`);
      if (reported === 'final' && attempt.final === null) witness.blame('I3', `${who} lost his final status`);
      checkCause(world, message, attempt, who);
      checkList(world, carrierLedger, attempt, { who, number });
    }
  }
  for (const one of accepted) {
    if (!explained.has(one)) witness.blame('I3', `${one.uuid} of ${message.id} is not in our ledger`);
    const name = audience?.find((person) => person.number === one.number)?.name;
    const [, addressed] = one.text.split(' ');
    if (addressed !== undefined && addressed !== name) witness.blame('I3', `${one.uuid} has another's text`);
  }
}

/** Unknown is only who was with a run that was disrupted, or whose answer was ambiguous. */
function checkCause(world: World, message: MemoryMessage, attempt: MemoryAttempt, who: string): void {
  if (attempt.result !== 'unknown') return;
  const { witness } = world;
  const isExplained =
    attempt.cause === 'worker_lost'
      ? witness.runOf(attempt.leaseId)?.isDisrupted === true
      : witness.wasAmbiguous(attempt.leaseId, attempt.request);
  if (!isExplained)
    witness.blame('I6', `${who} is unknown (${attempt.cause ?? 'no cause'}) without a reason`);
}

/** I7: an unknown attempt is final in the end, and accepted where the list can mean nothing else. */
function checkList(
  world: World,
  carrierLedger: readonly Acceptance[],
  { doubt, resolved }: MemoryAttempt,
  { who, number }: { readonly who: string; readonly number: string },
): void {
  if (doubt === null || resolved !== null) return;
  if (doubt.state === 'open' || doubt.state === 'absent') {
    world.witness.blame('I7', `${who} is ${doubt.state} in the end`);
  }
  const leased = [...world.ledger.leases.values()].filter(({ people }) =>
    people.some((person) => person.number === number),
  );
  if (leased.length === 1 && carrierLedger.some((one) => one.number === number)) {
    world.witness.blame('I7', `${who} is in the list, and nobody has looked`);
  }
}

/** I5: what was claimed is what was used; the witness sees at each lease that it is within the limit. */
function checkSpend(world: World, carrierLedger: readonly Acceptance[]): void {
  const { ledger, witness } = world;
  for (const campaign of ledger.campaigns.values()) {
    const own = costUsed(ledger, campaign.id);
    if (own === campaign.spentMicroUsd) continue;
    witness.blame(
      'I5',
      `${campaign.spentMicroUsd} of ${campaign.id}'s budget are claimed and ${own} were used`,
    );
  }
  const used = costUsed(ledger);
  if (used !== ledger.spentMicroUsd) {
    witness.blame('I5', `${ledger.spentMicroUsd} micro-dollars are claimed and ${used} were used`);
  }
  for (const message of ledger.messages.values()) {
    const { segments, microUsd } = textsOf(ledger, message);
    const told = [message.counters.get('segments') ?? 0, message.counters.get('estimate_micro_usd') ?? 0];
    if (told.join(' ') !== `${segments} ${microUsd}`) {
      witness.blame('I5', `${message.id} tells ${told.join(' ')} of ${segments} segments at ${microUsd}`);
    }
  }
  if (used === 0 && carrierLedger.some((one) => one.final !== 'failed'))
    witness.blame('I5', 'texts were accepted and cost nothing');
}

function recipientOf(world: World, message: MemoryMessage, number: string): string {
  const { audience } = campaignOf(world.ledger, message.campaignId);
  return `recipient ${audience?.find((one) => one.number === number)?.recipient ?? '(nobody)'}`;
}
