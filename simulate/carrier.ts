import type { HttpReport } from '../carrier/plivo/http-report.ts';
import type { Lease, LeasedRecipient } from '../domain/dispatch/dispatch-store.ts';
import type { ListPage, ListQuestion } from '../domain/dispatch/ask-list.ts';
import type { World } from './world.ts';

/** One text that the carrier has accepted. */
export interface Acceptance {
  readonly uuid: string;
  readonly leaseId: number;
  readonly from: string;
  readonly number: string;
  /** By the carrier's clock, which is not ours. */
  readonly at: number;
  /** Machine time from which its list shows it. */
  readonly listedFrom: number;
  readonly text: string;
  readonly final: 'delivered' | 'undelivered' | 'failed';
  readonly code: string | null;
}

/** A callback on its way to us. */
export interface Callback {
  readonly leaseId: number;
  readonly to: string;
  readonly uuid: string;
  readonly status: 'queued' | 'sent' | 'delivered' | 'undelivered' | 'failed';
  readonly errorCode: string | null;
  readonly isSigned: boolean;
}

/** The carrier, with a ledger of its own. */
export interface SimulatedCarrier {
  readonly ledger: readonly Acceptance[];
  /** Takes nothing for so long. */
  readonly breakDown: (forMs: number) => void;
  /** A page of its list: the newest come first. */
  readonly list: (question: ListQuestion) => ListPage;
  /** A request has arrived. Resolves with what the worker's socket sees. */
  readonly serve: (lease: Lease, request: number, people: readonly LeasedRecipient[]) => Promise<HttpReport>;
}

const TIMEOUT_MS = 15_000;
/** Records show late, but not later than we wait for them. */
const LIST_LAG_MS_MAX = 590_000;
const LIST_PAGE = 1;
/** Its list may fail long after everything else has recovered. */
const LIST_FAILS_MS = 3_000_000;
const REPORT_MS_MAX = 60_000;
/** Codes of failed and undelivered texts: worth another attempt soon, later or once, gone for good, nothing special. */
const CODES = ['300', '80', '1000', '70', '40'] as const;
/** Of numbers whose texts always fail. */
const STUBBORN = { final: 'failed', code: '300' } as const;
const STUBBORN_EVERY = 4;
const FORGED = ['delivered', 'failed', 'undelivered'] as const;
const AMBIGUOUS = ['error', 'reset', 'hang', 'empty'] as const;
/** What a 429 asks for, in seconds. */
const RETRY_AFTER_S = [0, 1, 1, 3, 20] as const;
const REFUSALS = ['rate', 'rate', 'refused', 'bad', 'credit'] as const;

/** A carrier that reports to `report`. */
export function createCarrier(world: World, report: (callback: Callback) => void): SimulatedCarrier {
  const { loop, chance, scenario, witness, trace } = world;
  const { weather } = scenario;
  const ledger: Acceptance[] = [];
  /** Requests that it has not answered. */
  let underWay = 0;
  /** Since when it takes nothing, and how many requests have arrived since. */
  const down = { since: 0, until: 0, requests: 0, isSilent: false };

  const accept = (lease: Lease, person: LeasedRecipient): Acceptance => {
    const luck = chance.draw('carrier.final');
    const isStubborn = scenario.hasStubbornNumbers && Number(person.number.slice(-2)) % STUBBORN_EVERY === 1;
    const acceptance: Acceptance = {
      uuid: `uuid${ledger.length + 1}`,
      leaseId: lease.id,
      from: lease.from,
      number: person.number,
      at: loop.now() + scenario.carrierClockMs,
      listedFrom:
        loop.now() +
        (chance.strikes('list.lags', weather.list) ? chance.whole('list.lag', 1, LIST_LAG_MS_MAX) : 0),
      text: person.text,
      final: luck < 0.75 ? 'delivered' : luck < 0.88 ? 'undelivered' : 'failed',
      code: luck < 0.75 ? null : chance.pick('carrier.code', CODES),
      ...(isStubborn ? STUBBORN : {}),
    };
    ledger.push(acceptance);
    trace('carrier', `accepts ${acceptance.uuid} of lease ${lease.id} for recipient ${person.recipient}`);
    tellOf(acceptance);
    return acceptance;
  };

  const tell = (callback: Callback, delayMs: number): void => {
    if (scenario.isSilent || chance.strikes('callback.lost', weather.callback)) return;
    const lateMs = chance.strikes('callback.late', weather.callback)
      ? chance.whole('callback.by', 0, 600_000)
      : 0;
    loop.after(delayMs + lateMs, () => report(callback));
    if (chance.strikes('callback.twice', weather.callback)) {
      loop.after(delayMs + chance.whole('callback.again', 1, REPORT_MS_MAX), () => report(callback));
    }
    if (chance.strikes('callback.forged', weather.callback)) {
      const to = chance.pick('callback.forged.to', [callback.to, '+15550100001', '+15550100002']);
      const status = chance.pick('callback.forged.status', FORGED);
      const forged: Callback = { ...callback, to, status, errorCode: '70', uuid: 'forged', isSigned: false };
      loop.after(chance.whole('callback.forged.at', 0, REPORT_MS_MAX), () => report(forged));
    }
  };

  const tellOf = ({ uuid, leaseId, number, final, code }: Acceptance): void => {
    const about = { leaseId, to: number, uuid, isSigned: true };
    const sentMs = chance.whole('callback.sent', 1, 3_000);
    tell({ ...about, status: 'queued', errorCode: null }, sentMs / 2);
    if (final !== 'failed') tell({ ...about, status: 'sent', errorCode: null }, sentMs);
    tell(
      { ...about, status: final, errorCode: code },
      sentMs + chance.whole('callback.final', 0, REPORT_MS_MAX),
    );
  };

  const later = (answer: HttpReport): Promise<HttpReport> =>
    new Promise((resolve) => {
      loop.after(chance.delayMs('carrier.answer', weather.answerMs), () => resolve(answer));
    });

  const answer = (lease: Lease, request: number, people: readonly LeasedRecipient[]): Promise<HttpReport> => {
    if (loop.now() < down.until) {
      down.requests += 1;
      witness.failedWhileDown(down.requests, loop.now() - down.since);
      if (down.isSilent) return later(broken('ECONNREFUSED', false));
      witness.ambiguous(lease.id, request);
      return later(muddle('error'));
    }
    if (chance.strikes('carrier.refusal', weather.refusal)) {
      return Promise.resolve(
        refuse(chance.pick('carrier.refusal.how', REFUSALS), chance.pick('retry', RETRY_AFTER_S)),
      );
    }
    const isAmbiguous = chance.strikes('carrier.ambiguous', weather.carrier);
    const takes = !isAmbiguous || chance.draw('carrier.takes') < 0.5;
    const accepted = takes ? people.map((person) => accept(lease, person)) : [];
    if (!isAmbiguous) {
      const order = accepted.toSorted(() => chance.draw('carrier.order') - 0.5);
      return later(answered(202, { message_uuid: order.map((one) => one.uuid) }));
    }
    witness.ambiguous(lease.id, request);
    const how = chance.pick('carrier.ambiguous.how', AMBIGUOUS);
    trace('carrier', `answers ${how} to lease ${lease.id}, request ${request}`);
    if (how !== 'hang') return later(muddle(how));
    return new Promise((resolve) => {
      loop.after(TIMEOUT_MS, () => resolve(broken('TIMEOUT', true)));
    });
  };

  return {
    ledger,
    list: ({ from, to, since, until, offset }) => {
      if (loop.now() < LIST_FAILS_MS && chance.lingers('list.fails', weather.list)) {
        const cause = chance.pick('list.fails.how', ['unavailable', 'rate_limited']);
        return { kind: 'failed', cause, retryAfterMs: cause === 'rate_limited' ? 20_000 : null };
      }
      const found = ledger.filter(
        (one) => one.from === from && one.number === to && one.at >= since && one.at <= until,
      );
      const shown = found.filter((one) => one.listedFrom <= loop.now()).toReversed();
      const page = shown.slice(offset, offset + LIST_PAGE);
      return { kind: 'listed', texts: page, isLast: offset + page.length >= shown.length };
    },
    breakDown: (forMs) => {
      down.until = Math.max(down.until, loop.now() + forMs);
      down.since = loop.now();
      down.requests = 0;
      down.isSilent = chance.draw('down.how') < 0.5;
    },
    serve: async (lease, request, people) => {
      witness.arrived(lease, people);
      underWay += 1;
      witness.underWay(underWay);
      try {
        return await answer(lease, request, people);
      } finally {
        underWay -= 1;
      }
    },
  };
}

function refuse(how: (typeof REFUSALS)[number], retryAfterS: number): HttpReport {
  switch (how) {
    case 'rate':
      return { ...answered(429, {}), headers: { 'retry-after': String(retryAfterS) } };
    case 'refused':
      return broken('ECONNREFUSED', false);
    case 'bad':
      return answered(400, { error: 'bad request' });
    case 'credit':
      return answered(402, { error: 'no credit' });
  }
}

function muddle(how: 'error' | 'reset' | 'empty'): HttpReport {
  switch (how) {
    case 'error':
      return answered(503, {});
    case 'reset':
      return broken('ECONNRESET', true);
    case 'empty':
      return { ...answered(202, {}), body: '' };
  }
}

function answered(status: number, body: object): HttpReport {
  return { wasWritten: true, status, headers: {}, body: JSON.stringify(body), errorCode: null };
}

function broken(errorCode: string, wasWritten: boolean): HttpReport {
  return { wasWritten, status: null, headers: {}, body: '', errorCode };
}
