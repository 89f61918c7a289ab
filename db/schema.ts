import type { RoundKind } from '../domain/round.ts';
import type { UnknownState } from '../domain/carrier-list.ts';
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { AlertKind, AlertSeverity } from '../domain/alert.ts';
import type { CampaignStatus, MessageStatus, StartMode, StatusReason } from '../domain/campaign-status.ts';
import type { LogValue } from '../domain/log-line.ts';
import type { ReviewFacts } from '../domain/review/review-facts.ts';
import type { SenderType } from '../domain/sender.ts';
import type { SuppressionKind, SuppressionSource } from '../domain/suppression.ts';

// A jsonb column is written as text, because the driver would turn a bare array into a PostgreSQL array.

interface AccountTable {
  id: string;
  name: string;
  time_zone: string;
  sender_name: string;
  quiet_start: Generated<string>;
  quiet_end: Generated<string>;
  default_country: string;
  countries: string[];
  spend_limit_micro_usd: number | null;
  prefix: Generated<string>;
  suffix: Generated<string>;
  review_required: Generated<boolean>;
  review_tolerance_percent: Generated<number>;
  resend_absent_since: Date | null;
  parent_id: string | null;
  settings_version: Generated<number>;
  version: Generated<number>;
  created_at: Generated<Date>;
}

interface ActionTable {
  id: string;
  account_id: string;
  campaign_id: string;
  name: string;
  args: ColumnType<Record<string, unknown>, string | undefined, string>;
  state: Generated<string>;
  result: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
  via: string;
  requested_by: string;
  key_id: string | null;
  signal_key: string | null;
  requested_at: Generated<Date>;
  answered_at: Date | null;
}

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

interface ApiKeyTable {
  id: string;
  account_id: string;
  name: string;
  prefix: string;
  hash: Buffer;
  scopes: string[];
  expires_at: Date | null;
  revoked_at: Date | null;
  replaced_by: string | null;
  version: Generated<number>;
  created_at: Generated<Date>;
}

interface ApiKeyUseTable {
  key_id: string;
  account_id: string;
  last_used_at: Date;
}

interface AttemptTable {
  month: string;
  account_id: string;
  message_key: number;
  recipient: number;
  attempt: number;
  lease_id: number;
  request: number | null;
  result: string;
  cause: string | null;
  carrier_uuid: string | null;
  segments: number;
  cost_micro_usd: number;
  recorded_at: Generated<Date>;
}

interface CampaignListTable {
  account_id: string;
  campaign_id: string;
  list_id: string;
  excluded: Generated<boolean>;
}

interface CampaignSpendTable {
  campaign_id: string;
  account_id: string;
  budget_micro_usd: Generated<number | null>;
  spent_micro_usd: Generated<number>;
}

interface CampaignTable {
  id: string;
  key: GeneratedAlways<number>;
  account_id: string;
  kind: Generated<string>;
  type: Generated<string>;
  channel: Generated<string>;
  name: string | null;
  sender_id: string | null;
  owner_id: string | null;
  purpose: string | null;
  acknowledged_at: Date | null;
  acknowledged_by: string | null;
  status: Generated<CampaignStatus>;
  start_mode: StartMode | null;
  launched_at: Date | null;
  first_due_at: Date | null;
  prepared_at: Date | null;
  audience_timing: Generated<string>;
  audience_month: string | null;
  audience_size: number | null;
  audience_frozen_at: Date | null;
  ever_leased: Generated<boolean>;
  was_restarted: Generated<boolean>;
  content_overruled_by: string | null;
  status_reasons: ColumnType<StatusReason[], string | undefined, string>;
  finished_at: Date | null;
  archived_at: Date | null;
  deleted_at: Date | null;
  created_by: string;
  created_at: Generated<Date>;
  version: Generated<number>;
}

interface CarrierAccountTable {
  id: string;
  name: string;
  carrier: string;
  auth_id: string | null;
  auth_token_sealed: string | null;
  requests_max: Generated<number>;
  requests_window_ms: Generated<number>;
  requests_at_once_max: Generated<number>;
  next_request_at: Generated<Date>;
  paused_until: Generated<Date>;
  lists_per_minute: Generated<number>;
  next_list_at: Generated<Date>;
  version: Generated<number>;
  created_at: Generated<Date>;
}

interface CarrierPermitTable {
  carrier_account_id: string;
  worker_id: string;
  permits: number;
  expires_at: Date;
}

interface CircuitTable {
  scope_id: string;
  failures: Generated<number>;
  trips: Generated<number>;
  opened_at: Date | null;
  probe_after: Generated<Date>;
  probing_until: Date | null;
  taken_at: Generated<Date>;
}

interface CohortTable {
  account_id: string;
  campaign_key: number;
  cohort: number;
  time_zone: string;
  recipient_first: number;
  size: number;
}

interface ContactTable {
  id: GeneratedAlways<number>;
  account_id: string;
  number: string;
  number_hash: Buffer;
  country: string;
  first_name: string | null;
  last_name: string | null;
  time_zone: string | null;
  custom: ColumnType<Record<string, string>, string | undefined, string>;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
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

interface GateTable {
  scope_id: string;
  holds: Generated<number>;
}

interface HoldTable {
  id: string;
  account_id: string;
  scope: string;
  scope_id: string;
  kind: string;
  cause: string | null;
  reason: string;
  placed_by: string;
  placed_at: Generated<Date>;
  lifted_at: Date | null;
  campaign_id: string | null;
  by_operator: Generated<boolean>;
  lift_action_id: string | null;
  lifted_by: string | null;
  woken_at: Date | null;
  version: Generated<number>;
}

interface IdempotencyKeyTable {
  account_id: string;
  api_key_id: string;
  key: string;
  request_hash: string;
  status: number | null;
  body: ColumnType<unknown, string | null | undefined, string | null>;
  headers: ColumnType<Record<string, string> | null, string | null | undefined, string | null>;
  created_at: Generated<Date>;
}

interface ImportPieceTable {
  account_id: string;
  import_id: string;
  piece: number;
  content: Buffer;
}

interface ImportRefusalTable {
  account_id: string;
  import_id: string;
  line: number;
  reason: string;
  field: string | null;
  raw: string | null;
}

interface ImportTable {
  id: string;
  account_id: string;
  subject: Generated<string>;
  suppression_kind: string | null;
  suppression_reason: string | null;
  list_ids: string[];
  mapping: ColumnType<Record<string, string> | null, string | null | undefined, string | null>;
  default_country: string;
  status: string;
  format: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
  bytes: Generated<number>;
  bytes_read: Generated<number>;
  rows_read: Generated<number>;
  rows_imported: Generated<number>;
  rows_created: Generated<number>;
  rows_merged: Generated<number>;
  rows_refused: Generated<number>;
  error: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
  created_by: string;
  created_at: Generated<Date>;
  finished_at: Date | null;
  version: Generated<number>;
}

interface InboundMessageTable {
  carrier_uuid: string;
  account_id: string;
  sender_id: string;
  number_hash: Buffer;
  number: string | null;
  text: string | null;
  meaning: string;
  received_at: Generated<Date>;
}

interface LaneTable {
  account_id: string;
  message_key: number;
  lane: number;
  fence: Generated<number>;
}

interface LeaseTable {
  month: string;
  id: Generated<number>;
  account_id: string;
  campaign_key: number;
  message_key: number;
  wave_id: number;
  ordinal_first: number;
  ordinal_last: number;
  lane: number;
  fence: number;
  sender_id: string;
  width: number;
  recorded: Generated<number>;
  segments: number;
  cost_micro_usd: number;
  spend_month: string;
  opened_at: Generated<Date>;
  closed_at: Date | null;
}

interface ListMemberTable {
  account_id: string;
  list_id: string;
  contact_id: number;
}

interface ListTable {
  id: string;
  account_id: string;
  name: string;
  version: Generated<number>;
  created_at: Generated<Date>;
}

export interface LogTable {
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

interface MediaTable {
  id: string;
  account_id: string;
  content_type: string;
  bytes: number;
  token: string;
  sha256: string | null;
  ready_at: Date | null;
  unused_since: Date | null;
  created_at: Generated<Date>;
}

interface MediaPieceTable {
  account_id: string;
  media_id: string;
  piece: number;
  content: Buffer;
}

interface MessageTable {
  id: string;
  key: GeneratedAlways<number>;
  account_id: string;
  campaign_id: string;
  position: number;
  type: Generated<string>;
  text: Generated<string>;
  media_ids: Generated<string[]>;
  schedule_local: string | null;
  schedule_zone: string | null;
  due_at: Date | null;
  expires_after_ms: Generated<number>;
  expires_at: Date | null;
  use_prefix: Generated<boolean>;
  use_suffix: Generated<boolean>;
  status: Generated<MessageStatus>;
  texting: Generated<boolean>;
  began_at: Date | null;
  ended_at: Date | null;
  version: Generated<number>;
}

interface OutcomeTable {
  month: string;
  account_id: string;
  message_key: number;
  recipient: number;
  attempt: number;
  stage: string;
  status: string;
  reason: string | null;
  carrier_uuid: string | null;
  units: number | null;
  billed_micro_usd: number | null;
  recorded_at: Generated<Date>;
}

interface PersonTable {
  id: string;
  account_id: string;
  name: string;
  address: string;
  disabled_at: Date | null;
  version: Generated<number>;
  created_at: Generated<Date>;
}

interface QuotaTable {
  id: string;
  account_id: string;
  name: string;
  rate_units: number | null;
  rate_period: Generated<'second' | 'minute'>;
  day_units: number | null;
  reset_zone: Generated<string>;
  share_percent: Generated<number>;
  version: Generated<number>;
  created_at: Generated<Date>;
}

interface QuotaUseTable {
  quota_id: string;
  account_id: string;
  next_free_at: Generated<Date>;
  day: Generated<string>;
  day_hundredths: Generated<number>;
}

interface RecipientTable {
  month: string;
  account_id: string;
  campaign_key: number;
  recipient: number;
  contact_id: number;
  number: string | null;
  number_hash: Buffer;
  country: string;
}

interface RefusedPhraseTable {
  id: string;
  phrase: string;
  reason: string;
  effective_from: string;
  effective_to: string | null;
  version: Generated<number>;
  created_at: Generated<Date>;
}

interface RetryTable {
  account_id: string;
  month: string;
  message_key: number;
  recipient: number;
  attempt: number;
  why: 'failed' | 'absent';
  code: string | null;
  noted_at: Generated<Date>;
}

interface RoundTable {
  id: string;
  account_id: string;
  campaign_id: string;
  number: number;
  kind: RoundKind;
  action_id: string;
  ordered_by: string;
  ordered_at: Date;
}

interface ReviewTable {
  id: string;
  account_id: string;
  campaign_id: string;
  facts: ColumnType<ReviewFacts, string, never>;
  created_by: string;
  created_at: Generated<Date>;
  expires_at: Date;
  used_at: Date | null;
}

interface RollupDeltaTable {
  id: GeneratedAlways<number>;
  account_id: string;
  message_key: number;
  counter: string;
  delta: number;
}

interface RollupTable {
  account_id: string;
  message_key: number;
  counter: string;
  value: number;
  folded_at: Generated<Date>;
}

interface SenderPaceTable {
  sender_id: string;
  kind: string;
  account_id: string;
  next_free_at: Generated<Date>;
  slowed_until: Generated<Date>;
}

interface SenderQuotaTable {
  account_id: string;
  sender_id: string;
  quota_id: string;
}

interface SenderReportTable {
  account_id: string;
  sender_id: string;
  minute: Date;
  finals: number;
  spam: number;
}

interface SenderTable {
  id: string;
  account_id: string;
  address: string;
  type: SenderType;
  supports_mms: boolean;
  registration: string;
  registration_expires_on: string | null;
  segments_per_second: number | null;
  mms_per_second: number | null;
  carrier_account_id: string;
  disabled_at: Date | null;
  version: Generated<number>;
  created_at: Generated<Date>;
}

interface SpendMonthTable {
  account_id: string;
  month: string;
  spent_micro_usd: Generated<number>;
}

interface SuppressionHistoryTable {
  id: GeneratedAlways<number>;
  account_id: string;
  number_hash: Buffer;
  kind: SuppressionKind;
  sender_id: string | null;
  what: 'added' | 'removed';
  source: SuppressionSource;
  reason: string | null;
  import_id: string | null;
  who: string;
  via: string;
  key_id: string | null;
  at: Generated<Date>;
}

interface SuppressionTable {
  id: GeneratedAlways<number>;
  account_id: string;
  number_hash: Buffer;
  kind: SuppressionKind;
  sender_id: string | null;
  number: string | null;
  source: SuppressionSource;
  reason: string | null;
  added_by: Generated<string>;
  import_id: string | null;
  created_at: Generated<Date>;
}

interface TestNumberTable {
  id: string;
  account_id: string;
  number: string;
  number_hash: Buffer;
  country: string;
  name: string | null;
  created_at: Generated<Date>;
}

interface TestSendTable {
  id: string;
  key: GeneratedAlways<number>;
  account_id: string;
  campaign_id: string;
  message_id: string;
  sender_id: string;
  contact_id: number | null;
  number: string | null;
  number_hash: Buffer;
  country: string;
  kind: string;
  text: string | null;
  media_ids: string[];
  segments: number;
  cost_micro_usd: number;
  spend_month: string | null;
  in_quiet_hours: boolean;
  requested_by: string;
  requested_at: Generated<Date>;
  state: Generated<string>;
  cause: string | null;
  answered_at: Date | null;
  carrier_uuid: string | null;
  outcome: string | null;
  error_code: string | null;
  billed_micro_usd: number | null;
}

interface UnknownTable {
  account_id: string;
  month: string;
  message_key: number;
  recipient: number;
  attempt: number;
  campaign_key: number;
  carrier_account_id: string;
  address: string;
  doubt: number;
  posted_since: Date;
  posted_until: Date;
  state: Generated<UnknownState>;
  asks: Generated<number>;
  next_ask_at: Date;
  asked_at: Date | null;
  listed_since: Date | null;
  listed_until: Date | null;
  listed: number | null;
  explained: number | null;
  is_complete: boolean | null;
  verdict: string | null;
}

interface WaveMemberTable {
  month: string;
  account_id: string;
  wave_id: number;
  ordinal: number;
  recipient: number;
  attempt: number;
  left_out: string | null;
}

interface WaveTable {
  id: Generated<number>;
  month: string;
  account_id: string;
  campaign_key: number;
  message_key: number;
  cohort: number;
  wave: number;
  size: number;
  next_ordinal: Generated<number>;
  due_at: Date | null;
  repeats: Generated<boolean>;
  round: number | null;
}

/** Every table as Kysely sees it. What a column means stands with it in `migrations/`. */
export interface Database {
  accounts: AccountTable;
  actions: ActionTable;
  alerts: AlertTable;
  api_keys: ApiKeyTable;
  api_key_uses: ApiKeyUseTable;
  attempts: AttemptTable;
  campaign_lists: CampaignListTable;
  campaign_spends: CampaignSpendTable;
  campaigns: CampaignTable;
  carrier_accounts: CarrierAccountTable;
  carrier_permits: CarrierPermitTable;
  circuits: CircuitTable;
  cohorts: CohortTable;
  contacts: ContactTable;
  event_counters: EventCounterTable;
  events: EventTable;
  gates: GateTable;
  holds: HoldTable;
  idempotency_keys: IdempotencyKeyTable;
  import_pieces: ImportPieceTable;
  import_refusals: ImportRefusalTable;
  imports: ImportTable;
  inbound_messages: InboundMessageTable;
  lanes: LaneTable;
  leases: LeaseTable;
  list_members: ListMemberTable;
  lists: ListTable;
  log: LogTable;
  media: MediaTable;
  media_pieces: MediaPieceTable;
  messages: MessageTable;
  outcomes: OutcomeTable;
  people: PersonTable;
  quota_uses: QuotaUseTable;
  quotas: QuotaTable;
  recipients: RecipientTable;
  refused_phrases: RefusedPhraseTable;
  retries: RetryTable;
  reviews: ReviewTable;
  rollup_deltas: RollupDeltaTable;
  rollups: RollupTable;
  rounds: RoundTable;
  sender_paces: SenderPaceTable;
  sender_quotas: SenderQuotaTable;
  sender_reports: SenderReportTable;
  senders: SenderTable;
  spend_months: SpendMonthTable;
  suppression_history: SuppressionHistoryTable;
  suppressions: SuppressionTable;
  test_numbers: TestNumberTable;
  test_sends: TestSendTable;
  unknowns: UnknownTable;
  wave_members: WaveMemberTable;
  waves: WaveTable;
}
