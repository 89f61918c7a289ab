/** How long before its registration lapses a sender needs somebody. */
export const REGISTRATION_WARNING_DAYS = 14;

const DAY_MS = 86_400_000;

/** What decides whether a sender may send: its registration, and the last day (UTC) of it if that is known. */
export interface Registration {
  readonly registration: string;
  /** `YYYY-MM-DD`. */
  readonly registrationExpiresOn: string | null;
}

/** The instant from which a registration counts no more, when its last day in UTC is over; null when it has none. */
export function lapsesAt({ registrationExpiresOn }: Registration): number | null {
  return registrationExpiresOn === null ? null : Date.parse(`${registrationExpiresOn}T00:00:00Z`) + DAY_MS;
}

/** Whether the sender is registered as approved at the instant. */
export function isRegistered(sender: Registration, at: number): boolean {
  return sender.registration === 'approved' && at < (lapsesAt(sender) ?? Number.POSITIVE_INFINITY);
}

/** What a registration needs of somebody at the instant: nothing, to be renewed soon, or at once. */
export function registrationNeed(sender: Registration, at: number): 'nothing' | 'soon' | 'now' {
  const lapse = lapsesAt(sender);
  if (lapse === null || sender.registration === 'pending') return 'nothing';
  if (at >= lapse) return 'now';
  if (sender.registration !== 'approved') return 'nothing';
  return at >= lapse - REGISTRATION_WARNING_DAYS * DAY_MS ? 'soon' : 'nothing';
}
