import { randomUUID } from 'node:crypto';
import { countryOfNumber } from '../../domain/phone-number.ts';
import { costMicroUsd } from '../../domain/rates.ts';
import { countSegments } from '../../domain/segments.ts';
import type { CallbackSender } from './callback-sender.ts';
import { type Ledger, type LedgerEntry, textHash } from './ledger.ts';
import { type Fate, type Fault, fateOf, faultOf } from './magic-numbers.ts';
import { defaultNumberSettings, type NumberSettings, type SandboxSettings } from './settings.ts';

/** A request to send, as the API has read it. */
export interface SendOrder {
  readonly src: string;
  /** E.164, unique. */
  readonly dst: readonly string[];
  readonly text: string;
  readonly kind: 'sms' | 'mms';
  readonly callbackUrl: string | null;
}

/** A fault ordered by the control API: for so many requests, or for a share of them. */
export interface FaultRule {
  readonly fault: Fault;
  readonly rate: number;
  left: number;
  readonly to: string | null;
}

/** Takes orders, keeps the queue of each number and the STOP list. */
export interface MessageDesk {
  readonly accept: (order: SendOrder) => string[];
  readonly nextFault: (order: SendOrder) => Fault | null;
  readonly numberSettings: (number: string) => NumberSettings;
  readonly setNumber: (number: string, settings: Partial<NumberSettings>) => void;
  readonly rules: FaultRule[];
  readonly stopped: Set<string>;
}

const QUEUE_MS_MAX = 3 * 60 * 60_000;

/** The carrier's desk. */
export function createMessageDesk(deps: {
  readonly settings: SandboxSettings;
  readonly ledger: Ledger;
  readonly callbacks: CallbackSender;
}): MessageDesk {
  const numbers = new Map<string, NumberSettings>();
  const queueFreeAt = new Map<string, number>();
  const throttledOnce = new Set<string>();
  const stopped = new Set<string>();
  const rules: FaultRule[] = [];

  const numberSettings = (number: string): NumberSettings =>
    numbers.get(number) ?? defaultNumberSettings(number);

  /** When the number's queue lets this text out, in milliseconds from now. */
  const queueMs = (src: string, kind: 'sms' | 'mms', units: number): number => {
    const settings = numberSettings(src);
    const perSecond = kind === 'mms' ? settings.mmsPerSecond : settings.smsSegmentsPerSecond;
    if (perSecond === null) return 0;
    const now = performance.now();
    const key = `${src} ${kind}`;
    const freeAt = Math.max(now, queueFreeAt.get(key) ?? 0);
    queueFreeAt.set(key, freeAt + ((kind === 'mms' ? 1 : units) * 1_000) / perSecond);
    return freeAt - now;
  };

  const fateFor = (entry: LedgerEntry, waitMs: number): Fate => {
    const failed = (errorCode: string): Fate => ({ final: 'failed', errorCode, callbacks: 'normal' });
    if (deps.settings.isAccountDisabled) return failed('910');
    if (stopped.has(`${entry.src} ${entry.dst}`) && numberSettings(entry.src).blocksStop)
      return failed('200');
    if (deps.settings.creditMicroUsd !== null) {
      if (deps.settings.creditMicroUsd < entry.costMicroUsd) return failed('900');
      deps.settings.creditMicroUsd -= entry.costMicroUsd;
    }
    return waitMs > QUEUE_MS_MAX ? failed('420') : fateOf(entry.dst);
  };

  return {
    rules,
    stopped,
    numberSettings,
    setNumber: (number, settings) => numbers.set(number, { ...numberSettings(number), ...settings }),

    nextFault: (order) => {
      const [first = ''] = order.dst;
      const rule = rules.find(
        (one) => one.left > 0 && (one.to === null || order.dst.includes(one.to)) && Math.random() < one.rate,
      );
      if (rule !== undefined) {
        rule.left -= 1;
        return rule.fault;
      }
      const fault = order.dst.length === 1 ? faultOf(first) : null;
      if (fault !== 'http_429') return fault;
      // A number that asks for throttling gets it once, so that a second attempt goes through.
      if (throttledOnce.has(first)) return null;
      throttledOnce.add(first);
      return fault;
    },

    accept: (order) => {
      const units = order.kind === 'mms' ? 1 : Math.max(1, countSegments(order.text));
      const uuids = order.dst.map((dst) => {
        const entry: LedgerEntry = {
          uuid: randomUUID(),
          src: order.src,
          dst,
          sha256: textHash(order.text),
          time: Date.now(),
          final: null,
          errorCode: null,
          callbackUrl: order.callbackUrl,
          units,
          kind: order.kind,
          costMicroUsd: costMicroUsd({
            country: countryOfNumber(dst) ?? '*',
            senderType: order.src.length <= 6 ? 'short_code' : 'long_code',
            kind: order.kind,
            segments: units,
            at: Date.now(),
          }),
        };
        deps.ledger.accept(entry);
        const waitMs = queueMs(order.src, order.kind, units);
        deps.callbacks.tell(entry, fateFor(entry, waitMs), waitMs);
        return entry.uuid;
      });
      // No order is promised, and code that relies on one has to fail here.
      return uuids.toReversed();
    },
  };
}
