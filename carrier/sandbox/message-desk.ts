import { countryOfNumber } from '../../domain/phone-number.ts';
import { costMicroUsd } from '../../domain/rates.ts';
import { countSegments } from '../../domain/segments.ts';
import { type CallbackTarget, type Ledger, type NewMessage, textHash } from './ledger.ts';
import { failedWith, type Fate, type Fault, fateOf, faultOf } from './magic-numbers.ts';
import { type NumberBook, plain } from './number-book.ts';
import type { NumberSettings, SandboxSettings } from './settings.ts';
import type { TextLives } from './text-life.ts';

/** A request to send, as the API has read it. */
export interface SendOrder {
  readonly src: string;
  /** E.164, unique. */
  readonly dst: readonly string[];
  readonly text: string;
  readonly kind: 'sms' | 'mms';
  readonly callback: CallbackTarget | null;
  /** The request's own limit for waiting in the queue, or null for the carrier's. */
  readonly expiresInMs: number | null;
}

/** A fault or fate ordered by the control API: for so many requests or texts, or for a share of them. */
export interface FaultRule {
  readonly fault: Fault | null;
  readonly fate: Fate | null;
  readonly rate: number;
  left: number;
  /** Without the plus, like `to`; null is any number. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Takes orders; knows the numbers, the rules and the STOP list. */
export interface MessageDesk {
  /** The ids of the texts, in an order of their own. */
  readonly accept: (order: SendOrder) => string[];
  readonly nextFault: (order: SendOrder) => Fault | null;
  /** How many requests were answered with each fault. */
  readonly faults: ReadonlyMap<Fault, number>;
  readonly numberSettings: (number: string) => NumberSettings;
  readonly setNumber: (number: string, settings: Partial<NumberSettings>) => void;
  readonly rules: FaultRule[];
  /** Whether the carrier refuses to text this pair because of a STOP. */
  readonly isStopped: (src: string, dst: string) => boolean;
  readonly setStopped: (src: string, dst: string, isStopped: boolean) => void;
}

/** The carrier's desk. `random` decides by share, from 0 to 1. */
export function createMessageDesk(deps: {
  readonly settings: SandboxSettings;
  readonly ledger: Ledger;
  readonly lives: TextLives;
  readonly numbers: NumberBook;
  readonly random: () => number;
}): MessageDesk {
  const { settings, numbers } = deps;
  const throttledOnce = new Set<string>();
  const stopped = new Set<string>();
  const rules: FaultRule[] = [];
  const faults = new Map<Fault, number>();

  const isStopped = (src: string, dst: string): boolean =>
    stopped.has(`${plain(src)} ${plain(dst)}`) && numbers.read(src).blocksStop;

  const take = (matches: (rule: FaultRule) => boolean): FaultRule | null => {
    const rule = rules.find((one) => one.left > 0 && matches(one) && deps.random() < one.rate);
    if (rule === undefined) return null;
    rule.left -= 1;
    return rule;
  };
  const ruleFate = (src: string, dst: string): Fate | null =>
    take(
      ({ fate, from, to }) =>
        fate !== null && (from ?? plain(src)) === plain(src) && (to ?? plain(dst)) === plain(dst),
    )?.fate ?? null;

  const fateFor = (src: string, dst: string, costsMicroUsd: number): Fate => {
    if (settings.isAccountDisabled) return failedWith(910);
    if (isStopped(src, dst)) return failedWith(200);
    if (settings.creditMicroUsd !== null) {
      if (settings.creditMicroUsd < costsMicroUsd) return failedWith(900);
      settings.creditMicroUsd -= costsMicroUsd;
    }
    return ruleFate(src, dst) ?? fateOf(dst);
  };

  const faultFor = (order: SendOrder): Fault | null => {
    const [first = ''] = order.dst;
    const src = plain(order.src);
    const rule = take(
      ({ fault, from, to }) =>
        fault !== null && (from ?? src) === src && (to === null || order.dst.includes(`+${to}`)),
    );
    if (rule !== null) return rule.fault;
    const fault = order.dst.length === 1 ? faultOf(first) : null;
    if (fault !== 'http_429') return fault;
    // A number that asks for throttling gets it once, so that a second attempt goes through.
    if (throttledOnce.has(first)) return null;
    throttledOnce.add(first);
    return fault;
  };

  return {
    rules,
    faults,
    isStopped,
    setStopped: (src, dst, isOn) => {
      const pair = `${plain(src)} ${plain(dst)}`;
      if (isOn) stopped.add(pair);
      else stopped.delete(pair);
    },
    numberSettings: numbers.read,
    setNumber: (number, changes) => {
      numbers.write(number, changes);
      deps.lives.repace();
    },

    nextFault: (order) => {
      const fault = faultFor(order);
      if (fault !== null) faults.set(fault, (faults.get(fault) ?? 0) + 1);
      return fault;
    },

    accept: (order) => {
      const messages = priced(order, numbers.read(order.src), fateFor);
      const first = deps.ledger.accept(messages);
      const expiresInMs = order.expiresInMs ?? settings.queueMsMax;
      // Ids before lives: whatever begins may end and be forgotten at once.
      const uuids = messages.map((_message, index) => deps.ledger.read(first + index).uuid);
      for (let index = 0; index < messages.length; index += 1) deps.lives.begin(first + index, expiresInMs);
      // No order is promised, and code that relies on one has to fail here.
      return uuids.toReversed();
    },
  };
}

function priced(
  { src, dst: recipients, text, kind, callback }: SendOrder,
  { type }: NumberSettings,
  fateFor: (src: string, dst: string, costsMicroUsd: number) => Fate,
): NewMessage[] {
  const time = Date.now();
  const units = kind === 'mms' ? 1 : Math.max(1, countSegments(text));
  const sha256 = textHash(text);
  return recipients.map((dst) => {
    const country = countryOfNumber(dst) ?? '*';
    const costs = costMicroUsd({ country, senderType: type, kind, segments: units, at: time });
    return {
      src,
      dst,
      sha256,
      time,
      kind,
      units,
      callback,
      costMicroUsd: costs,
      fate: fateFor(src, dst, costs),
    };
  });
}
