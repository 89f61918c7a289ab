import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { SuppressionKind, SuppressionSource } from '../../domain/suppression.ts';

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

/** Whom an account knows, how they came in, and who must not be texted. */
export interface ContactTables {
  contacts: ContactTable;
  imports: ImportTable;
  import_pieces: ImportPieceTable;
  import_refusals: ImportRefusalTable;
  inbound_messages: InboundMessageTable;
  list_members: ListMemberTable;
  lists: ListTable;
  suppression_history: SuppressionHistoryTable;
  suppressions: SuppressionTable;
}
