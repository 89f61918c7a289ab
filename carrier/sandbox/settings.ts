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
  /** Null: any amount. */
  creditMicroUsd: number | null;
  isAccountDisabled: boolean;
  /** Where texts that people send are posted; `PUBLIC_URL` fills it in at the start. */
  inboundUrl: string | null;
}

/** A source number's own queue. Null is unlimited. */
export interface NumberSettings {
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
    creditMicroUsd: null,
    isAccountDisabled: false,
    inboundUrl: null,
  };
}

/** The queue of a number that nobody has set: what Plivo gives an account by default. */
export function defaultNumberSettings(number: string): NumberSettings {
  const isShortCode = number.length <= 6;
  return { smsSegmentsPerSecond: 5, mmsPerSecond: 0.25, blocksStop: !isShortCode };
}
