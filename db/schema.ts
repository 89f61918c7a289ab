import type { AccountTables } from './schema/account-tables.ts';
import type { CampaignTables } from './schema/campaign-tables.ts';
import type { CentralTables } from './schema/central-tables.ts';
import type { ContactTables } from './schema/contact-tables.ts';
import type { LedgerTables } from './schema/ledger-tables.ts';
import type { OversightTables } from './schema/oversight-tables.ts';
import type { SenderTables } from './schema/sender-tables.ts';

/**
 * Every table as Kysely sees it. What a column means stands with it in `migrations/`. A jsonb column is written as text,
 * because the driver would turn a bare array into a PostgreSQL array.
 */
export interface Database
  extends
    AccountTables,
    CampaignTables,
    CentralTables,
    ContactTables,
    LedgerTables,
    OversightTables,
    SenderTables {}
