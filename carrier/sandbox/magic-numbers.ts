/** What the sandbox does with an accepted text in the end. */
export interface Fate {
  readonly final: 'delivered' | 'undelivered' | 'failed' | 'sent' | null;
  readonly errorCode: string;
  /** How its callbacks misbehave. */
  readonly callbacks: 'normal' | 'doubled' | 'reordered' | 'forged_first' | 'lost';
}

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

const DELIVERED: Fate = { final: 'delivered', errorCode: '000', callbacks: 'normal' };
const ended = (final: 'undelivered' | 'failed', errorCode: string): Fate => ({
  final,
  errorCode,
  callbacks: 'normal',
});

/** Fates by the last four digits of the destination; everybody else is delivered. docs/sandbox.md lists them. */
const FATES: Readonly<Record<string, Fate>> = {
  '9001': ended('failed', '300'),
  '9002': ended('undelivered', '80'),
  '9003': ended('undelivered', '70'),
  '9004': ended('failed', '50'),
  '9005': ended('failed', '30'),
  '9006': ended('failed', '420'),
  '9007': { final: 'sent', errorCode: '000', callbacks: 'normal' },
  '9008': { final: null, errorCode: '000', callbacks: 'lost' },
  '9009': { ...DELIVERED, callbacks: 'doubled' },
  '9010': { ...DELIVERED, callbacks: 'reordered' },
  '9011': { ...DELIVERED, callbacks: 'forged_first' },
  '9012': ended('failed', '200'),
  '9031': ended('failed', '900'),
  '9032': ended('failed', '910'),
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

/** The fault that a request to this number runs into, if its number asks for one. */
export function faultOf(number: string): Fault | null {
  return REQUEST_FAULTS[number.slice(-4)] ?? null;
}
