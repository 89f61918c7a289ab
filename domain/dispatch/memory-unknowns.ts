import { listIntervalMs } from '../carrier-list.ts';
import { addToCounter, campaignOf, entryOf, type MemoryLedger, messageOf } from './memory-ledger.ts';
import type { MemoryAttempt, MemoryDoubt, MemoryLease, MemoryMessage } from './memory-rows.ts';
import { resolveUnknown } from './memory-repeats.ts';
import {
  asAttempt,
  type AttemptKey,
  type KnownText,
  type TextKey,
  type Unknown,
  type UnknownStore,
} from './unknown-store.ts';

/** The carrier's usual limit. */
const LISTS_PER_MINUTE = 20;
const MONTH = '2026-01-01';

/** An unknown attempt with what surrounds it. */
interface Doubtful {
  readonly message: MemoryMessage;
  readonly attempt: MemoryAttempt;
  readonly doubt: MemoryDoubt;
}

/** Unknown attempts of a ledger in memory: the same contract as PostgreSQL's. */
export function createMemoryUnknownStore(ledger: MemoryLedger): UnknownStore {
  return {
    takeUnknown: (_carrierAccountId, at, againAt) => {
      const [next] = openOnes(ledger)
        .filter(({ doubt }) => doubt.nextAskAt <= at)
        .toSorted(
          (one, other) =>
            doubtOf(other.attempt) - doubtOf(one.attempt) || one.doubt.nextAskAt - other.doubt.nextAskAt,
        );
      if (next === undefined) return Promise.resolve(null);
      next.doubt.nextAskAt = againAt;
      return Promise.resolve(unknownOf(ledger, next));
    },
    nextTurnAt: () => {
      const turns = openOnes(ledger).map(({ doubt }) => doubt.nextAskAt);
      return Promise.resolve(turns.length === 0 ? null : Math.min(...turns));
    },
    knownTexts: (_carrierAccountId, of, since, until) =>
      Promise.resolve(
        [...ledger.leases.values()].flatMap((lease) => textsOf(ledger, lease, of, since, until)),
      ),
    recordVerdict: (key, evidence, uuid) => {
      const { message, attempt } = find(ledger, key);
      const { doubt } = attempt;
      if (doubt === null) throw new Error('There is no doubt about this attempt.');
      const { repeats } = leaseOf(ledger, attempt);
      if (evidence.verdict === 'accepted') resolveUnknown(message, attempt, uuid, repeats);
      let wake: string | null = null;
      if (evidence.verdict === 'absent' && doubt.state === 'open') {
        doubt.state = 'absent';
        addToCounter(message, 'absent', 1);
        wake = noteRetry(ledger, message, attempt, doubt) ? message.campaignId : null;
      }
      if (doubt.state !== 'superseded') doubt.nextAskAt = evidence.nextAskAt;
      return Promise.resolve({ wake });
    },
    putOff: (key, until) => {
      const { doubt } = find(ledger, key).attempt;
      if (doubt !== null) doubt.nextAskAt = until;
      return Promise.resolve();
    },
    closeUnknowns: (_carrierAccountId, postedBefore, howMany) => {
      const due = openOnes(ledger).filter(({ doubt }) => doubt.postedUntil <= postedBefore);
      for (const { message, doubt } of due.slice(0, howMany)) {
        if (doubt.state === 'absent') addToCounter(message, 'absent', -1);
        addToCounter(message, 'final', 1);
        doubt.state = 'final';
      }
      return Promise.resolve(Math.min(due.length, howMany));
    },
    grantList: () => {
      const at = Math.max(ledger.carrier.nextListAt, ledger.machineNow());
      ledger.carrier.nextListAt = at + listIntervalMs(LISTS_PER_MINUTE);
      return Promise.resolve(at - ledger.machineNow());
    },
    slowLists: (_carrierAccountId, delayMs) => {
      ledger.carrier.nextListAt = Math.max(ledger.carrier.nextListAt, ledger.machineNow() + delayMs);
      return Promise.resolve();
    },
  };
}

/** Whether the list is still to tell of somebody of a campaign who then may be sent again by himself. */
export function mayBeResentInMemory(ledger: MemoryLedger, campaignId: string): boolean {
  return openOnes(ledger).some(
    ({ message, doubt }) =>
      message.campaignId === campaignId && doubt.state === 'open' && isChosen(ledger, doubt),
  );
}

/** Where the account has chosen so before the text was posted, a new one may follow by itself while the campaign runs. */
function noteRetry(
  ledger: MemoryLedger,
  message: MemoryMessage,
  { recipient, attempt }: MemoryAttempt,
  doubt: MemoryDoubt,
): boolean {
  if (!isChosen(ledger, doubt) || campaignOf(ledger, message.campaignId).isFinished) return false;
  message.retries.push({ recipient, attempt, why: 'absent', code: null });
  return true;
}

function isChosen({ resendAbsentSince }: MemoryLedger, { postedSince }: MemoryDoubt): boolean {
  return resendAbsentSince !== null && resendAbsentSince <= postedSince;
}

function openOnes(ledger: MemoryLedger): Doubtful[] {
  const found: Doubtful[] = [];
  for (const message of ledger.messages.values()) {
    for (const { attempts } of message.entries.values()) {
      for (const attempt of attempts) {
        const { doubt } = attempt;
        if (doubt !== null && (doubt.state === 'open' || doubt.state === 'absent')) {
          found.push({ message, attempt, doubt });
        }
      }
    }
  }
  return found;
}

/** The more doubtful, the sooner it is asked for. */
function doubtOf({ cause }: MemoryAttempt): number {
  if (cause === 'worker_lost') return 3;
  return cause === 'timeout' || cause === 'reset' ? 2 : 1;
}

function unknownOf(ledger: MemoryLedger, { message, attempt, doubt }: Doubtful): Unknown {
  const { audience, senderId } = campaignOf(ledger, message.campaignId);
  const number = audience?.[attempt.recipient - 1]?.number ?? null;
  const { postedSince, postedUntil } = doubt;
  return {
    ...keyOf(ledger, message, attempt),
    from: senderId,
    number,
    numberHash: number,
    postedSince,
    postedUntil,
  };
}

function keyOf(
  ledger: MemoryLedger,
  message: MemoryMessage,
  { recipient, attempt }: { readonly recipient: number; readonly attempt: number },
): AttemptKey {
  return { accountId: ledger.accountId, month: MONTH, messageKey: message.key, recipient, attempt };
}

/** There are no texts on trial in memory. */
function find(ledger: MemoryLedger, text: TextKey): { message: MemoryMessage; attempt: MemoryAttempt } {
  const key = asAttempt(text);
  const message = [...ledger.messages.values()].find((one) => one.key === key.messageKey);
  const attempt = message?.entries.get(key.recipient)?.attempts.find((one) => one.attempt === key.attempt);
  if (message === undefined || attempt === undefined) throw new Error('There is no such attempt.');
  return { message, attempt };
}

function leaseOf(ledger: MemoryLedger, { leaseId }: MemoryAttempt): MemoryLease {
  const lease = ledger.leases.get(leaseId);
  if (lease === undefined) throw new Error(`There is no lease ${leaseId}.`);
  return lease;
}

function textsOf(
  ledger: MemoryLedger,
  lease: MemoryLease,
  of: { readonly from: string; readonly numberHash: string },
  since: number,
  until: number,
): KnownText[] {
  const message = messageOf(ledger, lease.messageId);
  if (campaignOf(ledger, message.campaignId).senderId !== of.from) return [];
  const person = lease.people.find(({ number }) => number === of.numberHash);
  if (person === undefined) return [];
  const key = keyOf(ledger, message, person);
  const attempt = entryOf(message, person.recipient).attempts.find((one) => one.attempt === person.attempt);
  if (attempt === undefined) return lease.isOpen ? [{ key, standing: 'in_flight', uuid: null }] : [];
  const isTaken = attempt.result === 'accepted' || attempt.result === 'unknown';
  if (!isTaken || lease.openedAt < since || lease.openedAt > until) return [];
  const uuid = attempt.carrierUuid ?? attempt.resolved?.uuid ?? attempt.reportedUuid;
  if (uuid !== null) return [{ key, standing: 'bound', uuid }];
  const isProved = attempt.result === 'accepted' || attempt.resolved !== null;
  return [{ key, standing: isProved ? 'accepted' : 'unknown', uuid: null }];
}
