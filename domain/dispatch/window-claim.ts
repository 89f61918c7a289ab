import { isQuiet, nextPermitted, type QuietHours, quietFrom } from '../quiet-hours.ts';

/** The hours in which a message may be sent, in campaign time. */
export interface WindowFacts {
  readonly quietHours: QuietHours;
  readonly timeZone: string;
  readonly expiresAt: number | null;
}

/** Until when a lease may be posted, null without end; or why none may be made now. */
export type WindowClaim =
  | { readonly kind: 'open'; readonly closesAt: number | null }
  | { readonly kind: 'closed'; readonly opensAt: number }
  | { readonly kind: 'expired' };

/** Whether a lease may be made at an instant of campaign time, and until when it may be posted. */
export function claimWindow(facts: WindowFacts, at: number): WindowClaim {
  const { quietHours, timeZone, expiresAt } = facts;
  if (isQuiet(at, quietHours, timeZone)) {
    return { kind: 'closed', opensAt: nextPermitted(at, quietHours, timeZone) };
  }
  if (expiresAt !== null && at >= expiresAt) return { kind: 'expired' };
  const quietAt = quietFrom(at, quietHours, timeZone);
  return { kind: 'open', closesAt: expiresAt === null ? quietAt : Math.min(expiresAt, quietAt ?? expiresAt) };
}
