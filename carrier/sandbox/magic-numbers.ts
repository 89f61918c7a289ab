/** What the sandbox does with an accepted text in the end. */
export interface Fate {
  readonly final: (typeof FINALS)[number];
  /** 0 is none. */
  readonly errorCode: number;
  /** How its callbacks misbehave. */
  readonly callbacks: (typeof CALLBACK_MODES)[number];
}

/** A text's last word; `sent` where the network reports nothing more. */
export const FINALS = ['delivered', 'undelivered', 'failed', 'sent'] as const;
/** `late`: after `lateCallbackMs` more. `forged_first`: wrongly signed, then right. */
export const CALLBACK_MODES = ['normal', 'doubled', 'reordered', 'forged_first', 'lost', 'late'] as const;

/** What goes wrong with the request itself. */
export const FAULTS = [
  'http_400',
  'http_401',
  'http_402',
  'http_403',
  'http_429',
  'http_500',
  'http_500_html_accepted',
  'http_503',
  'hang_accepted',
  'reset_accepted',
  'reset_before',
  'empty_accepted',
  'truncated_accepted',
] as const;
export type Fault = (typeof FAULTS)[number];

const DELIVERED: Fate = { final: 'delivered', errorCode: 0, callbacks: 'normal' };
const ended = (final: 'undelivered' | 'failed', errorCode: number): Fate => ({
  final,
  errorCode,
  callbacks: 'normal',
});

/** Fates by the last four digits of the destination; everybody else is delivered. docs/sandbox.md lists them. */
const FATES: Readonly<Record<string, Fate>> = {
  '9001': ended('failed', 300),
  '9002': ended('undelivered', 80),
  '9003': ended('undelivered', 70),
  '9004': ended('failed', 50),
  '9005': ended('failed', 30),
  '9006': ended('failed', 420),
  '9007': { ...DELIVERED, final: 'sent' },
  '9008': { ...DELIVERED, callbacks: 'lost' },
  '9009': { ...DELIVERED, callbacks: 'doubled' },
  '9010': { ...DELIVERED, callbacks: 'reordered' },
  '9011': { ...DELIVERED, callbacks: 'forged_first' },
  '9012': ended('failed', 200),
  '9013': { ...DELIVERED, callbacks: 'late' },
  '9031': ended('failed', 900),
  '9032': ended('failed', 910),
};

/** Fates that a rule can order by name, beside `failed_<code>` and `undelivered_<code>`. */
const NAMED_FATES: Readonly<Record<string, Fate>> = {
  sent_only: { ...DELIVERED, final: 'sent' },
  callbacks_lost: { ...DELIVERED, callbacks: 'lost' },
  callbacks_doubled: { ...DELIVERED, callbacks: 'doubled' },
  callbacks_reordered: { ...DELIVERED, callbacks: 'reordered' },
  callbacks_forged_first: { ...DELIVERED, callbacks: 'forged_first' },
  callbacks_late: { ...DELIVERED, callbacks: 'late' },
};

const REQUEST_FAULTS: Readonly<Record<string, Fault>> = {
  '9020': 'http_400',
  '9021': 'http_401',
  '9022': 'http_429',
  '9023': 'http_500',
  '9024': 'http_500_html_accepted',
  '9025': 'http_503',
  '9026': 'hang_accepted',
  '9027': 'reset_accepted',
  '9028': 'reset_before',
  '9029': 'empty_accepted',
  '9030': 'truncated_accepted',
};

/** The fate of a text to this number. */
export function fateOf(number: string): Fate {
  return FATES[number.slice(-4)] ?? DELIVERED;
}

/** A fate that fails at once or later with this code. */
export function failedWith(errorCode: number): Fate {
  return ended('failed', errorCode);
}

/** The fault or fate with this name, or null. */
export function orderOf(
  name: string,
): { readonly fault: Fault; readonly fate: null } | { readonly fault: null; readonly fate: Fate } | null {
  const fault = FAULTS.find((one) => one === name);
  if (fault !== undefined) return { fault, fate: null };
  const named = NAMED_FATES[name];
  if (named !== undefined) return { fault: null, fate: named };
  const [, final, code] = /^(failed|undelivered)_([0-9]{1,4})$/.exec(name) ?? [];
  if (final !== 'failed' && final !== 'undelivered') return null;
  return { fault: null, fate: ended(final, Number(code)) };
}

/** What a rule can order, in words for a refusal. */
export const ORDER_NAMES = [
  ...FAULTS,
  ...Object.keys(NAMED_FATES),
  'failed_<code>',
  'undelivered_<code>',
].join(', ');

/** The fault that a request to this number runs into, if its number asks for one. */
export function faultOf(number: string): Fault | null {
  return REQUEST_FAULTS[number.slice(-4)] ?? null;
}
