import type { ColumnType, Generated } from 'kysely';

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
  central_send_at: Date | null;
  default_sender_id: string | null;
  disabled_at: Date | null;
  disabled_reason: string | null;
  disabled_by_operator: Generated<boolean>;
  settings_version: Generated<number>;
  version: Generated<number>;
  created_at: Generated<Date>;
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

interface PersonTable {
  id: string;
  account_id: string;
  name: string;
  address: string;
  disabled_at: Date | null;
  version: Generated<number>;
  created_at: Generated<Date>;
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

interface SpendMonthTable {
  account_id: string;
  month: string;
  spent_micro_usd: Generated<number>;
}

interface GrantTable {
  account_id: string;
  name: string;
  parent_id: string;
  granted_by: string;
  granted_at: Generated<Date>;
}

/** What an account is, who works for it and what it has spent. */
export interface AccountTables {
  accounts: AccountTable;
  api_keys: ApiKeyTable;
  api_key_uses: ApiKeyUseTable;
  grants: GrantTable;
  people: PersonTable;
  idempotency_keys: IdempotencyKeyTable;
  spend_months: SpendMonthTable;
}
