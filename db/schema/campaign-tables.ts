import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type {
  CampaignKind,
  CampaignStatus,
  MessageStatus,
  StartMode,
  StatusReason,
} from '../../domain/campaign-status.ts';
import type { ReviewFacts } from '../../domain/review/review-facts.ts';
import type { RoundKind } from '../../domain/round.ts';

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
  accounts_reached: number | null;
  accounts_done: number | null;
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
  kind: Generated<CampaignKind>;
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
  central_id: string | null;
  parent_id: string | null;
  parent_name: string | null;
  detached_at: Date | null;
  created_by: string;
  created_at: Generated<Date>;
  version: Generated<number>;
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
  text_micro_usd: number | null;
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
  in_account_zone: Generated<boolean>;
  not_before: Date | null;
  skipped_at: Date | null;
  media_tokens: string[] | null;
  status: Generated<MessageStatus>;
  texting: Generated<boolean>;
  planned_at: Date | null;
  began_at: Date | null;
  ended_at: Date | null;
  version: Generated<number>;
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

/** Campaigns, what is ordered of them and what keeps them. */
export interface CampaignTables {
  actions: ActionTable;
  campaign_lists: CampaignListTable;
  campaign_spends: CampaignSpendTable;
  campaigns: CampaignTable;
  gates: GateTable;
  holds: HoldTable;
  media: MediaTable;
  media_pieces: MediaPieceTable;
  messages: MessageTable;
  refused_phrases: RefusedPhraseTable;
  reviews: ReviewTable;
  rounds: RoundTable;
}
