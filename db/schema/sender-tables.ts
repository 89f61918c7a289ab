import type { Generated, GeneratedAlways } from 'kysely';
import type { SenderType } from '../../domain/sender.ts';

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

interface QuotaUseTable {
  quota_id: string;
  account_id: string;
  next_free_at: Generated<Date>;
  day: Generated<string>;
  day_hundredths: Generated<number>;
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
  asks: Generated<number>;
  next_ask_at: Date | null;
}

/** What texts go out through, and within which limits. */
export interface SenderTables {
  carrier_accounts: CarrierAccountTable;
  carrier_permits: CarrierPermitTable;
  circuits: CircuitTable;
  quota_uses: QuotaUseTable;
  quotas: QuotaTable;
  sender_paces: SenderPaceTable;
  sender_quotas: SenderQuotaTable;
  sender_reports: SenderReportTable;
  senders: SenderTable;
  test_numbers: TestNumberTable;
  test_sends: TestSendTable;
}
