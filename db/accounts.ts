import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';
import { newId } from './ids.ts';
import type { Listed, Order, Part } from './listing.ts';
import { prepareQuery } from './prepared-query.ts';

/** An account: a tenant with its settings. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly senderName: string;
  readonly quietStart: string;
  readonly quietEnd: string;
  readonly defaultCountry: string;
  readonly countries: readonly string[];
  /** A calendar month in the account's zone; null is no limit. */
  readonly spendLimitMicroUsd: number | null;
  /** Templates around each text that lacks them; empty is none. */
  readonly prefix: string;
  readonly suffix: string;
  /** Whether what sets a campaign going has to show a review. */
  readonly reviewRequired: boolean;
  /** By how much recipients and cost may differ from a review. */
  readonly reviewTolerancePercent: number;
  /** Whether texts that the carrier's list does not have are sent again by themselves, once. */
  readonly resendAbsent: boolean;
  readonly parentId: string | null;
  /** What its parts of its parent's campaigns are sent from; null is its oldest approved one. */
  readonly defaultSenderId: string | null;
  /** Whether an operator lets it send centrally. */
  readonly centralSend: boolean;
  /** Since when nothing of it is sent and its keys only read; null while it is enabled. */
  readonly disabledAt: Date | null;
  readonly disabledReason: string | null;
  readonly disabledByOperator: boolean;
  readonly createdAt: Date;
  readonly version: number;
}

/** What can be given of an account. */
export interface AccountSettings {
  readonly name?: string;
  readonly timeZone?: string;
  readonly senderName?: string;
  readonly quietStart?: string;
  readonly quietEnd?: string;
  readonly defaultCountry?: string;
  readonly countries?: readonly string[];
  readonly spendLimitMicroUsd?: number | null;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly reviewRequired?: boolean;
  readonly reviewTolerancePercent?: number;
  readonly resendAbsent?: boolean;
  readonly defaultSenderId?: string | null;
}

/** What a new account needs to be given. */
export type NewAccount = Required<
  Pick<AccountSettings, 'name' | 'timeZone' | 'senderName' | 'defaultCountry' | 'countries'>
> &
  AccountSettings & { readonly parentId?: string };

const COLUMNS = [
  'id',
  'name',
  'time_zone as timeZone',
  'sender_name as senderName',
  'quiet_start as quietStart',
  'quiet_end as quietEnd',
  'default_country as defaultCountry',
  'countries',
  'spend_limit_micro_usd as spendLimitMicroUsd',
  'prefix',
  'suffix',
  'review_required as reviewRequired',
  'review_tolerance_percent as reviewTolerancePercent',
  sql<boolean>`resend_absent_since is not null`.as('resendAbsent'),
  'parent_id as parentId',
  'default_sender_id as defaultSenderId',
  sql<boolean>`central_send_at is not null`.as('centralSend'),
  'disabled_at as disabledAt',
  'disabled_reason as disabledReason',
  'disabled_by_operator as disabledByOperator',
  'created_at as createdAt',
  'version',
] as const;

/** A new account's id; `withAccount` of it may then insert the row. */
export function newAccountId(): string {
  return newId('acc');
}

/** Adds an account with its gate. The transaction has to be that account's own. */
export async function insertAccount(trx: Trx, id: string, account: NewAccount): Promise<void> {
  await trx
    .insertInto('accounts')
    .values({
      id,
      name: account.name,
      time_zone: account.timeZone,
      sender_name: account.senderName,
      default_country: account.defaultCountry,
      countries: [...account.countries],
      spend_limit_micro_usd: account.spendLimitMicroUsd ?? null,
      parent_id: account.parentId ?? null,
      ...textAndReviewColumns({ ...account, resendAbsent: false }),
      ...(account.resendAbsent === true ? { resend_absent_since: sql<Date>`clock_timestamp()` } : {}),
      ...(account.quietStart === undefined ? {} : { quiet_start: account.quietStart }),
      ...(account.quietEnd === undefined ? {} : { quiet_end: account.quietEnd }),
    })
    .execute();
  await trx.insertInto('gates').values({ scope_id: id }).execute();
}

/** The account of this transaction, or null when its id names none. */
export async function findAccount(trx: Trx, id: string): Promise<Account | null> {
  const [account = null] = await askForAccount(trx, { id });
  return account;
}

const askForAccount = prepareQuery((db, { id }: { readonly id: string }) =>
  db.selectFrom('accounts').where('id', '=', id).select(COLUMNS).compile(),
);

/** The same, locked until the transaction ends, so that the version that a change was checked against still holds. */
export async function lockAccount(trx: Trx, id: string): Promise<Account | null> {
  const row = await trx
    .selectFrom('accounts')
    .where('id', '=', id)
    .select(COLUMNS)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** Changes settings. What campaigns read anew on waking raises the settings version. */
export async function updateAccount(trx: Trx, id: string, settings: AccountSettings): Promise<void> {
  if (settings.spendLimitMicroUsd !== undefined) await lockSpending(trx, id);
  await trx
    .updateTable('accounts')
    .set((set) => ({
      ...(settings.name === undefined ? {} : { name: settings.name }),
      ...(settings.timeZone === undefined ? {} : { time_zone: settings.timeZone }),
      ...(settings.senderName === undefined ? {} : { sender_name: settings.senderName }),
      ...(settings.quietStart === undefined ? {} : { quiet_start: settings.quietStart }),
      ...(settings.quietEnd === undefined ? {} : { quiet_end: settings.quietEnd }),
      ...(settings.defaultCountry === undefined ? {} : { default_country: settings.defaultCountry }),
      ...(settings.countries === undefined ? {} : { countries: [...settings.countries] }),
      ...(settings.spendLimitMicroUsd === undefined
        ? {}
        : { spend_limit_micro_usd: settings.spendLimitMicroUsd }),
      ...(settings.defaultSenderId === undefined ? {} : { default_sender_id: settings.defaultSenderId }),
      ...textAndReviewColumns(settings),
      settings_version: set('settings_version', '+', 1),
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .execute();
}

/** Lets the account of this transaction send for its sub-accounts, or no longer. */
export async function setCentralSend(trx: Trx, id: string, isEnabled: boolean): Promise<void> {
  await trx
    .updateTable('accounts')
    .set((set) => ({
      central_send_at: isEnabled ? sql<Date>`clock_timestamp()` : null,
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .execute();
}

function textAndReviewColumns(settings: AccountSettings) {
  const { prefix, suffix, reviewRequired, reviewTolerancePercent, resendAbsent } = settings;
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(suffix === undefined ? {} : { suffix }),
    ...(reviewRequired === undefined ? {} : { review_required: reviewRequired }),
    ...(reviewTolerancePercent === undefined ? {} : { review_tolerance_percent: reviewTolerancePercent }),
    ...(resendAbsent === undefined ? {} : { resend_absent_since: resendAbsent ? chosenSince() : null }),
  };
}

/** Chosen again it holds from when it was chosen first. */
function chosenSince() {
  return sql<Date>`coalesce(accounts.resend_absent_since, clock_timestamp())`;
}

/** What accounts can be sorted by. */
export const ACCOUNT_SORTS = ['createdAt', 'name'] as const;

/** The ids of a page of the installation's accounts, for the operator. `q` finds a part of a name. */
export async function listAccountIds(
  db: Db,
  query: { readonly q?: string; readonly countries?: readonly string[] } & Order<
    (typeof ACCOUNT_SORTS)[number]
  > &
    Part,
): Promise<Listed<string>> {
  const { rows } = await sql<Listed<string>>`
    select items, total from list_accounts(${query.q ?? null}, ${query.countries ?? null}::text[], ${query.sort},
      ${query.descending}, ${query.limit}, ${query.offset})`.execute(db);
  return rows[0] ?? { items: [], total: 0 };
}

/** Campaigns of the account that a workflow runs, so that it hears of changed settings. */
export async function liveCampaignIds(trx: Trx): Promise<string[]> {
  const rows = await trx
    .selectFrom('campaigns')
    .where('status', 'in', ['processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended'])
    // A central campaign texts nobody: its parts are campaigns of their accounts.
    .where((where) => where.or([where('kind', '=', 'standard'), where('central_id', 'is not', null)]))
    .select('id')
    .execute();
  return rows.map((row) => row.id);
}

/** Leases that have looked at the limit are committed before, and the next ones look at it after: none goes by an old one. */
async function lockSpending(trx: Trx, id: string): Promise<void> {
  // A month of which nobody has leased anything has no row that he could wait at. Clocks and zones may be a day apart.
  await sql`
    insert into spend_months (account_id, month)
    select distinct a.id, to_char((clock_timestamp() + d.days * interval '1 day') at time zone a.time_zone, 'YYYY-MM')
    from accounts a cross join (values (-1), (0), (1)) as d(days)
    where a.id = ${id} order by 2
    on conflict do nothing`.execute(trx);
  await trx
    .selectFrom('spend_months')
    .where('account_id', '=', id)
    .select('month')
    .orderBy('month')
    .forUpdate()
    .execute();
}
