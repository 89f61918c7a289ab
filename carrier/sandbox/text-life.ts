import type { CallbackSender } from './callback-sender.ts';
import { type CallbackTarget, errorCodeText, type Ledger } from './ledger.ts';
import type { StoredMessage } from './message-columns.ts';
import { createNumberQueue, type NumberQueue } from './number-queue.ts';
import type { NumberSettings, SandboxSettings } from './settings.ts';

/** Leads accepted texts through their queue to their last word, and reports each step. */
export interface TextLives {
  /** Begins with a text that has just been accepted; `expiresInMs` counts from its acceptance. */
  readonly begin: (row: number, expiresInMs: number) => void;
  /** Goes on with a text of an earlier process, from where it stood. */
  readonly resume: (row: number) => void;
  /** The pace of a number has changed. */
  readonly repace: () => void;
  readonly waiting: () => number;
  /** Forgets all texts. */
  readonly clear: () => void;
}

interface Times {
  readonly sentAt: number | null;
  readonly endedAt: number | null;
}

/** Decided at the carrier's desk, so such a text never enters a queue: STOP, credit, account. */
const AT_DESK_CODES: ReadonlySet<number> = new Set([200, 900, 910]);
const SEQUENCES = { queued: 1, sent: 2, final: 3 } as const;
/** The report `sent` takes this share of the way to the last word. */
const SENT_SHARE = 0.25;

/** `random` gives latencies, from 0 to 1, so that a seeded sandbox repeats itself. */
export function createTextLives(deps: {
  readonly settings: SandboxSettings;
  readonly ledger: Ledger;
  readonly callbacks: CallbackSender;
  readonly random: () => number;
  readonly numberSettings: (number: string) => NumberSettings;
}): TextLives {
  const { settings, ledger, callbacks } = deps;
  const queues = new Map<string, NumberQueue>();
  const timers = new Set<NodeJS.Timeout>();

  const later = (delayMs: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, delayMs);
    timers.add(timer);
  };
  // The target is the one from before: once all is told the ledger forgets it, and a report may come after that.
  const report = (
    row: number,
    target: CallbackTarget | null,
    step: keyof typeof SEQUENCES,
    times: Times,
  ): void => {
    const { callbacks: mode, final } = ledger.read(row).fate;
    const isLast = step === 'final' || step === final;
    const done = (): void => {
      if (isLast) ledger.setTold(row);
    };
    if (target === null || mode === 'lost') {
      done();
      return;
    }
    const form = () => formOf(ledger.read(row), step, times);
    callbacks.send({ target, form, done, isForgedFirst: mode === 'forged_first' });
    if (mode === 'doubled') callbacks.send({ target, form, done, isForgedFirst: false });
  };

  const end = (row: number, sentAt: number | null, delayMs: number): void =>
    later(delayMs, () => {
      ledger.setFinal(row);
      const times = { sentAt, endedAt: Date.now() };
      const { fate } = ledger.read(row);
      const target = ledger.callbackOf(row);
      if (fate.final === 'sent') return;
      if (fate.callbacks === 'late')
        later(settings.lateCallbackMs, () => report(row, target, 'final', times));
      else report(row, target, 'final', times);
    });
  const delayMs = (): number => {
    const { min, max } = settings.callbackDelayMs;
    return min + deps.random() * (max - min);
  };
  const release = (row: number): void => {
    const { fate } = ledger.read(row);
    const endsInMs = delayMs();
    if (fate.final === 'failed') {
      end(row, null, endsInMs);
      return;
    }
    ledger.setSent(row);
    const target = ledger.callbackOf(row);
    const times = { sentAt: Date.now(), endedAt: null };
    const afterFinalMs = endsInMs + settings.callbackDelayMs.max;
    const reportsInMs = fate.callbacks === 'reordered' ? afterFinalMs : endsInMs * SENT_SHARE;
    later(reportsInMs, () => report(row, target, 'sent', times));
    end(row, times.sentAt, endsInMs);
  };
  const expire = (row: number): void => {
    ledger.expire(row);
    end(row, null, 0);
  };
  const enqueue = (row: number, message: StoredMessage, expiresAtMs: number): void => {
    const { src, kind, units, fate } = message;
    if (fate.final === 'failed' && AT_DESK_CODES.has(fate.errorCode)) {
      end(row, null, delayMs());
      return;
    }
    const key = `${src} ${kind}`;
    let queue = queues.get(key);
    if (queue === undefined) {
      const unitsPerSecond = (): number | null => {
        const { mmsPerSecond, smsSegmentsPerSecond } = deps.numberSettings(src);
        return kind === 'mms' ? mmsPerSecond : smsSegmentsPerSecond;
      };
      queue = createNumberQueue({ unitsPerSecond, release, expire });
      queues.set(key, queue);
    }
    queue.push({ row, units, expiresAtMs });
  };

  return {
    begin: (row, expiresInMs) => {
      report(row, ledger.callbackOf(row), 'queued', { sentAt: null, endedAt: null });
      enqueue(row, ledger.read(row), performance.now() + expiresInMs);
    },
    resume: (row) => {
      const message = ledger.read(row);
      const { time, state, fate } = message;
      const target = ledger.callbackOf(row);
      if (state === 'queued') {
        enqueue(row, message, performance.now() + settings.queueMsMax - (Date.now() - time));
        return;
      }
      const isLast = fate.final === 'sent';
      if (isLast) report(row, target, 'sent', { sentAt: time, endedAt: null });
      if (state === 'sent') end(row, time, delayMs());
      else if (!isLast) report(row, target, 'final', { sentAt: time, endedAt: time });
    },
    repace: () => {
      for (const queue of queues.values()) queue.pump();
    },
    waiting: () => [...queues.values()].reduce((sum, queue) => sum + queue.size(), 0),
    clear: () => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      for (const queue of queues.values()) queue.clear();
    },
  };
}

function formOf(
  message: StoredMessage,
  step: keyof typeof SEQUENCES,
  { sentAt, endedAt }: Times,
): Record<string, string> {
  const status = step === 'final' ? message.fate.final : step;
  // What failed was never handed over and costs nothing.
  const amount = status === 'failed' ? 0 : message.costMicroUsd / 1_000_000;
  return {
    MessageUUID: message.uuid,
    From: message.src.replace('+', ''),
    To: message.dst.replace('+', ''),
    Status: status,
    Units: String(message.units),
    TotalRate: (amount / message.units).toFixed(6),
    TotalAmount: amount.toFixed(6),
    MCC: '310',
    MNC: '004',
    ErrorCode: step === 'final' ? errorCodeText(message.fate) : '',
    Sequence: String(SEQUENCES[step]),
    QueuedTime: timeText(message.time),
    ...(sentAt !== null && { SentTime: timeText(sentAt) }),
    ...(endedAt !== null && { DeliveryReportTime: timeText(endedAt) }),
  };
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
