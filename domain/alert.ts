/** What can need somebody. */
export const ALERT_KINDS = [
  'suspension',
  'content_rejected',
  'carrier_trouble',
  'registration_lapsing',
  'hours_changed',
  'forecast',
  'import_refusals',
  'callback_refusals',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** `critical` stops texts, `warning` will or may, `info` is good to know. */
export const ALERT_SEVERITIES = ['info', 'warning', 'critical'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** What an alert can concern. */
export const ALERT_SUBJECTS = [
  'account',
  'campaign',
  'message',
  'sender',
  'import',
  'carrier_account',
  'installation',
] as const;

/** The one thing that an alert concerns. */
export interface AlertSubject {
  readonly kind: (typeof ALERT_SUBJECTS)[number];
  readonly id: string;
}

/** Where an alert stands: `open` until somebody takes care of it or its cause is gone. */
export const ALERT_STATES = ['open', 'acknowledged', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** The state that two instants give. */
export function stateOfAlert(alert: {
  readonly acknowledgedAt: Date | null;
  readonly resolvedAt: Date | null;
}): AlertState {
  if (alert.resolvedAt !== null) return 'resolved';
  return alert.acknowledgedAt === null ? 'open' : 'acknowledged';
}
