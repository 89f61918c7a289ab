import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { AlertKind, AlertSeverity } from '../../domain/alert.ts';
import type { LogValue } from '../../domain/log-line.ts';
import type { CallbackKind, CallbackRefusal } from '../../domain/refused-callback.ts';

interface AlertTable {
  id: string;
  account_id: string;
  kind: AlertKind;
  severity: AlertSeverity;
  subject_kind: string;
  subject_id: string;
  campaign_id: string | null;
  cause: string;
  reason: string;
  remedy: string;
  count: Generated<number>;
  first_seen_at: Generated<Date>;
  last_seen_at: Generated<Date>;
  acknowledged_at: Date | null;
  acknowledged_by: string | null;
  resolved_at: Date | null;
  version: Generated<number>;
}

interface CallbackRefusalTable {
  day: string;
  kind: CallbackKind;
  reason: CallbackRefusal;
  count: number;
  last_at: Date;
}

interface EventCounterTable {
  account_id: string;
  last: number;
  forgotten: Generated<number>;
}

interface EventTable {
  position: GeneratedAlways<number>;
  account_id: string;
  number: number;
  campaign_id: string | null;
  kind: string;
  at: Date;
  data: ColumnType<Record<string, unknown>, string, string>;
}

interface LogTable {
  id: GeneratedAlways<number>;
  account_id: string;
  campaign_id: string | null;
  subject_kind: string;
  subject_id: string;
  at: Generated<Date>;
  what: string;
  from_value: ColumnType<LogValue | null, string | null | undefined, never>;
  to_value: ColumnType<LogValue | null, string | null | undefined, never>;
  action_id: string | null;
  who: string;
  key_id: string | null;
  via: string;
  detail: ColumnType<Record<string, unknown>, string | undefined, never>;
}

interface TurnTable {
  what: string;
  next_at: Date;
}

/** What happened and what somebody has to see, and who looks. */
export interface OversightTables {
  alerts: AlertTable;
  callback_refusals: CallbackRefusalTable;
  event_counters: EventCounterTable;
  events: EventTable;
  log: LogTable;
  turns: TurnTable;
}
