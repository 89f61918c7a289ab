import type { Generated, GeneratedAlways } from 'kysely';
import type { UnknownState } from '../../domain/carrier-list.ts';

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

interface CohortTable {
  account_id: string;
  campaign_key: number;
  cohort: number;
  time_zone: string;
  recipient_first: number;
  size: number;
}

interface LaneTable {
  account_id: string;
  message_key: number;
  lane: number;
  fence: Generated<number>;
  asked_at: Date | null;
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
  segments_each: number[] | null;
  micro_usd_each: number[] | null;
  spend_month: string;
  opened_at: Generated<Date>;
  closed_at: Date | null;
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

/** Who is texted, by which attempt, and what became of it. */
export interface LedgerTables {
  attempts: AttemptTable;
  cohorts: CohortTable;
  lanes: LaneTable;
  leases: LeaseTable;
  outcomes: OutcomeTable;
  recipients: RecipientTable;
  retries: RetryTable;
  rollup_deltas: RollupDeltaTable;
  rollups: RollupTable;
  unknowns: UnknownTable;
  wave_members: WaveMemberTable;
  waves: WaveTable;
}
