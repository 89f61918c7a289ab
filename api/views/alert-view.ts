import type { Static } from 'typebox';
import type { Alert } from '../../db/alert-rows.ts';
import { ALERT_SUBJECTS, stateOfAlert } from '../../domain/alert.ts';
import type { AlertOutput } from '../schemas/alert-schemas.ts';
import { actorView } from './log-view.ts';

/** An alert as it is shown. */
export function alertView(alert: Alert): Static<typeof AlertOutput> {
  const { acknowledgedAt, acknowledgedBy } = alert;
  return {
    id: alert.id,
    kind: alert.kind,
    severity: alert.severity,
    state: stateOfAlert(alert),
    subject: {
      kind: ALERT_SUBJECTS.find((kind) => kind === alert.subjectKind) ?? 'account',
      id: alert.subjectId,
    },
    campaignId: alert.campaignId,
    cause: alert.cause,
    reason: alert.reason,
    remedy: alert.remedy,
    count: alert.count,
    firstSeenAt: alert.firstSeenAt.toISOString(),
    lastSeenAt: alert.lastSeenAt.toISOString(),
    acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
    acknowledgedBy: acknowledgedBy === null ? null : actorView(acknowledgedBy, alert.acknowledgedByName),
    resolvedAt: alert.resolvedAt?.toISOString() ?? null,
  };
}
