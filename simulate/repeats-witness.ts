import type { Lease, LeasedRecipient } from '../domain/dispatch/dispatch-store.ts';
import { entryOf, type MemoryLedger } from '../domain/dispatch/memory-ledger.ts';
import type { MemoryMessage } from '../domain/dispatch/memory-rows.ts';
import type { MemoryReport } from '../domain/dispatch/memory-reports.ts';
import { isRetried, RESENDS_MAX } from '../domain/retry.ts';
import type { RoundKind } from '../domain/round.ts';
import type { Scenario, Weather } from './scenario.ts';
import type { CampaignClock } from './world.ts';

/** Knows what was reported and ordered, and finds fault with whoever is leased again without a reason. */
export interface RepeatsWitness {
  /** A genuine report has become durable. */
  readonly reported: (report: Omit<MemoryReport, 'uuid'>) => void;
  readonly wasReported: (leaseId: number, number: string) => 'not' | 'accepted' | 'final';
  /** The owner has ordered a round of a message to these numbers. */
  readonly repeated: (messageId: string, numbers: readonly string[], kind: RoundKind) => void;
  /** How often a number may have got a message. */
  readonly textsMax: (messageId: string, number: string) => number;
}

/** No code is tried again more often by itself, nor sooner. */
const RETRIES_MAX = 3;
const RETRY_DELAY_MS_MIN = 60_000;

/** A witness of rounds and of new attempts; `check` looks at each lease. */
export function createRepeatsWitness(deps: {
  readonly ledger: MemoryLedger;
  readonly clock: CampaignClock;
  readonly scenario: Scenario;
  readonly blame: (invariant: string, what: string) => void;
}): RepeatsWitness & {
  readonly check: (lease: Lease) => void;
  /** By message and number. */
  readonly foundAbsent: (key: string) => void;
} {
  const { ledger, clock, scenario, blame } = deps;
  /** By lease and number: whether a report was final, and the code with which the text failed. */
  const reports = new Map<string, { readonly isFinal: boolean; readonly failedWith: string | null }>();
  /** When a text to a number was reported as never handed over, in campaign time and in the machine's. */
  const failures = new Map<string, { readonly at: number; readonly machineAt: number }>();
  const rounds = new Map<string, number>();
  const absent = new Set<string>();

  const checkPerson = (message: MemoryMessage, person: LeasedRecipient): void => {
    const { id: messageId } = message;
    const entry = entryOf(message, person.recipient);
    const before = entry.attempts.filter(
      (one) => one.attempt < person.attempt && one.result !== 'not_accepted',
    );
    const who = `recipient ${person.recipient} of ${messageId}`;
    const ordered = (kind: RoundKind): number => rounds.get(`${kind} ${messageId} ${person.number}`) ?? 0;
    const failed = before.filter((one) => one.final?.status === 'failed');
    const unknown = before.filter(
      (one) => one.result === 'unknown' && one.final === null && one.resolved === null,
    );
    if (failed.length + unknown.length < before.length) {
      blame('I1', `${who} is leased again though his text was taken or refused`);
    }
    // The account has chosen one more text by itself, once the list has been found not to have his.
    const isChosen = scenario.resendsAbsent && absent.has(`${messageId} ${person.number}`);
    if (unknown.length > ordered('resend_unknown') + (isChosen ? RESENDS_MAX : 0)) {
      blame('I1', `${who} is leased again by itself though nobody knows of his text`);
    }
    const byItself = failed.length - ordered('retry_failed');
    if (byItself > RETRIES_MAX) blame('I1', `${who} is tried again ${byItself} times by itself`);
    const codes = failed.map((one) => reports.get(`${one.leaseId} ${person.number}`)?.failedWith ?? null);
    if (ordered('retry_failed') === 0 && codes.some((code) => !isRetried(code))) {
      blame('I1', `${who} is tried again though his text fails for good`);
    }
    const failure = failures.get(`${messageId} ${person.number}`);
    // A plan that is asked for again, after a worker died with it, counts from the instant of the first time.
    if (failure === undefined || !isCalm(scenario.weather) || clock.latest() !== clock.now()) return;
    // Whoever plans it reads the clock first, and the failure may be reported while his question is on its way.
    // A clock that was put back meanwhile has seen less of the wait than there was, and one that was put forward more.
    const waitedMs = Math.max(clock.now() - failure.at, ledger.machineNow() - failure.machineAt);
    if (byItself > 0 && waitedMs < RETRY_DELAY_MS_MIN - scenario.weather.latencyMs) {
      blame('I1', `${who} is tried again at once`);
    }
  };

  return {
    reported: ({ leaseId, to, status, errorCode }) => {
      const key = `${leaseId} ${to}`;
      const known = reports.get(key);
      if (known?.isFinal === true) return;
      const messageId = ledger.leases.get(leaseId)?.messageId ?? '';
      if (status === 'failed') {
        failures.set(`${messageId} ${to}`, { at: clock.now(), machineAt: ledger.machineNow() });
      }
      reports.set(key, {
        isFinal: status !== 'queued' && status !== 'sent',
        failedWith: status === 'failed' ? errorCode : null,
      });
    },
    wasReported: (leaseId, number) => {
      const known = reports.get(`${leaseId} ${number}`);
      return known === undefined ? 'not' : known.isFinal ? 'final' : 'accepted';
    },
    repeated: (messageId, numbers, kind) => {
      for (const number of numbers) {
        const key = `${kind} ${messageId} ${number}`;
        rounds.set(key, (rounds.get(key) ?? 0) + 1);
      }
    },
    // Only of an unknown one does a round accept that he may be texted twice.
    textsMax: (messageId, number) => 1 + (rounds.get(`resend_unknown ${messageId} ${number}`) ?? 0),
    foundAbsent: (key) => absent.add(key),
    check: (lease) => {
      const message = [...ledger.messages.values()].find((one) => one.key === lease.messageKey);
      for (const person of lease.recipients) {
        if (message !== undefined && person.attempt > 1) checkPerson(message, person);
      }
    },
  };
}

/** Nothing happens to processes and their connections. */
export function isCalm({ kill, crashPoint, freeze, connection }: Weather): boolean {
  return kill + crashPoint + freeze + connection === 0;
}
