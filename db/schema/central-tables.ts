import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { PartReview } from '../../domain/central/part-review.ts';
import type { CentralTiming, PartState } from '../../domain/central/part-states.ts';

interface CentralSendTable {
  campaign_id: string;
  account_id: string;
  preset_id: string | null;
  preset_name: string | null;
  timing: Generated<CentralTiming>;
  fixed_at: Date | null;
  /** Campaign time. */
  held_since: Date | null;
  /** Only functions of the database write and read these two. */
  news_at: GeneratedAlways<Date | null>;
  told_at: GeneratedAlways<Date>;
}

interface CentralPartTable {
  central_id: string;
  number: number;
  slice: GeneratedAlways<number>;
  account_id: string;
  sub_account_id: string;
  sub_account_name: string | null;
  time_zone: string | null;
  campaign_id: string | null;
  state: Generated<PartState>;
  reason: string | null;
  needs_run: Generated<boolean>;
  is_news: Generated<boolean>;
  news_at: Date | null;
  ended_at: Date | null;
}

interface CentralPartListTable {
  account_id: string;
  central_id: string;
  number: number;
  list_id: string;
}

interface ActionSliceTable {
  action_id: string;
  slice: number;
  account_id: string;
  done_at: Date | null;
}

interface ReviewPartTable {
  account_id: string;
  review_id: string;
  number: number;
  sub_account_id: string;
  figures: ColumnType<PartReview, string, never>;
}

interface PresetPairTable {
  account_id: string;
  preset_id: string;
  sub_account_id: string;
  list_id: string;
}

interface PresetTable {
  id: string;
  account_id: string;
  name: string;
  version: Generated<number>;
  created_at: Generated<Date>;
  deleted_at: Date | null;
}

/** What a parent has of the campaigns that it sends for its sub-accounts. */
export interface CentralTables {
  central_sends: CentralSendTable;
  central_parts: CentralPartTable;
  central_part_lists: CentralPartListTable;
  preset_pairs: PresetPairTable;
  presets: PresetTable;
  action_slices: ActionSliceTable;
  review_parts: ReviewPartTable;
}
