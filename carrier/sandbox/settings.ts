/** How the sandbox behaves; the control API changes it while it runs. */
export interface SandboxSettings {
  /** Null: no limit of requests. */
  requestsPer5s: number | null;
  requestsAtOnceMax: number;
  listsPerMinute: number;
  /** Machine milliseconds between a text's way out and its last word, drawn evenly. */
  callbackDelayMs: { min: number; max: number };
  /** When a callback that was not answered with 2xx is tried again. */
  retryDelaysMs: number[];
  /** How long a callback that is late by order waits on top. */
  lateCallbackMs: number;
  /** How long a text may wait in its number's queue before it fails with 420. */
  queueMsMax: number;
  /** How long an accepted text stays invisible to get and list. */
  recordDelayMs: number;
  /** Null: any amount. */
  creditMicroUsd: number | null;
  isAccountDisabled: boolean;
  /** The API refuses its credentials with 401, whatever they are. */
  refusesCredentials: boolean;
  /** What who asks for the account is answered with; all but 200 is an error. */
  accountHttpStatus: number;
  /** Where texts that people send are posted; `PUBLIC_URL` fills it in at the start. */
  inboundUrl: string | null;
}

/** The kinds of number that behave differently after STOP. */
export const NUMBER_TYPES = ['short_code', 'toll_free', '10dlc', 'long_code', 'alphanumeric'] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

/** A source number's own queue. Null is unlimited. */
export interface NumberSettings {
  type: NumberType;
  smsSegmentsPerSecond: number | null;
  mmsPerSecond: number | null;
  /** The carrier itself blocks a pair after STOP. */
  blocksStop: boolean;
}

/** Plivo's own figures. */
export function defaultSettings(): SandboxSettings {
  return {
    requestsPer5s: 300,
    requestsAtOnceMax: 100,
    listsPerMinute: 20,
    callbackDelayMs: { min: 20, max: 800 },
    retryDelaysMs: [60_000, 120_000, 240_000],
    lateCallbackMs: 60_000,
    queueMsMax: 3 * 60 * 60_000,
    recordDelayMs: 0,
    creditMicroUsd: null,
    isAccountDisabled: false,
    refusesCredentials: false,
    accountHttpStatus: 200,
    inboundUrl: null,
  };
}

/** What Plivo gives to a number that nobody has set: 5 segments a second, an MMS every 4 seconds. */
export function defaultNumberSettings(number: string): NumberSettings {
  const type = numberTypeOf(number);
  return { type, smsSegmentsPerSecond: 5, mmsPerSecond: 0.25, blocksStop: blocksByDefault(type) };
}

/** Plivo blocks nobody after STOP at a short code, and nobody can reply to a name. */
export function blocksByDefault(type: NumberType): boolean {
  return type !== 'short_code' && type !== 'alphanumeric';
}

function numberTypeOf(number: string): NumberType {
  if (/[A-Za-z]/.test(number)) return 'alphanumeric';
  if (number.length <= SHORT_CODE_LENGTH_MAX) return 'short_code';
  return TOLL_FREE.test(number) ? 'toll_free' : 'long_code';
}

const SHORT_CODE_LENGTH_MAX = 6;
const TOLL_FREE = /^\+?1(800|833|844|855|866|877|888)\d{7}$/;
