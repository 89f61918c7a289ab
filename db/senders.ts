import { sql } from 'kysely';
import type { SenderType } from '../domain/sender.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, nameHas, type Order, orderOf, type Part } from './listing.ts';

/** A send-as number. */
export interface Sender {
  readonly id: string;
  readonly address: string;
  readonly type: SenderType;
  readonly supportsMms: boolean;
  readonly registration: string;
  /** The last day in UTC on which it counts, `YYYY-MM-DD`; null is not known. */
  readonly registrationExpiresOn: string | null;
  /** Null is unpaced. */
  readonly segmentsPerSecond: number | null;
  readonly mmsPerSecond: number | null;
  readonly carrierAccountId: string;
  /** What it shares with other senders. */
  readonly quotaIds: readonly string[];
  readonly disabledAt: Date | null;
  readonly createdAt: Date;
  readonly version: number;
}

/** What can be changed of a sender. */
export interface SenderChanges {
  readonly supportsMms?: boolean;
  readonly registration?: string;
  readonly registrationExpiresOn?: string | null;
  readonly segmentsPerSecond?: number | null;
  readonly mmsPerSecond?: number | null;
  readonly disabledAt?: Date | null;
}

const COLUMNS = [
  'id',
  'address',
  'type',
  'supports_mms as supportsMms',
  'registration',
  'registration_expires_on as registrationExpiresOn',
  'segments_per_second as segmentsPerSecond',
  'mms_per_second as mmsPerSecond',
  'carrier_account_id as carrierAccountId',
  'disabled_at as disabledAt',
  'created_at as createdAt',
  'version',
] as const;

const QUOTAS = sql<string[]>`coalesce((select array_agg(q.quota_id order by q.quota_id) from sender_quotas q
  where q.sender_id = senders.id), '{}')`.as('quotaIds');

/** Adds a sender with its gate and the rows that keep its pace. Throws PostgreSQL's unique violation. */
export async function insertSender(
  trx: Trx,
  sender: {
    readonly accountId: string;
    readonly address: string;
    readonly type: SenderType;
    readonly supportsMms: boolean;
    readonly registration: string;
    readonly registrationExpiresOn: string | null;
    readonly segmentsPerSecond: number | null;
    readonly mmsPerSecond: number | null;
    readonly carrierAccountId: string;
  },
): Promise<string> {
  const id = newId('snd');
  await trx
    .insertInto('senders')
    .values({
      id,
      account_id: sender.accountId,
      address: sender.address,
      type: sender.type,
      supports_mms: sender.supportsMms,
      registration: sender.registration,
      registration_expires_on: sender.registrationExpiresOn,
      segments_per_second: sender.segmentsPerSecond,
      mms_per_second: sender.mmsPerSecond,
      carrier_account_id: sender.carrierAccountId,
    })
    .execute();
  await trx
    .insertInto('sender_paces')
    .values(['sms', 'mms'].map((kind) => ({ sender_id: id, kind, account_id: sender.accountId })))
    .execute();
  await trx.insertInto('gates').values({ scope_id: id }).execute();
  return id;
}

/** The sender, or null when the account has none of this id. */
export async function findSender(trx: Trx, id: string): Promise<Sender | null> {
  const row = await trx
    .selectFrom('senders')
    .where('id', '=', id)
    .select(COLUMNS)
    .select(QUOTAS)
    .executeTakeFirst();
  return row ?? null;
}

/** The same, locked until the transaction ends, so that the version that a change was checked against still holds. */
export async function lockSender(trx: Trx, id: string): Promise<Sender | null> {
  const row = await trx
    .selectFrom('senders')
    .where('id', '=', id)
    .select(COLUMNS)
    .select(QUOTAS)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** What senders can be sorted by. */
export const SENDER_SORTS = ['createdAt', 'address', 'type', 'registration'] as const;

/** Which senders; several values of a filter are joined by or. */
export interface SenderQuery extends Order<(typeof SENDER_SORTS)[number]>, Part {
  /** A part of the address. */
  readonly q?: string;
  readonly types?: readonly SenderType[];
  readonly registrations?: readonly string[];
  readonly carrierAccountIds?: readonly string[];
  readonly disabled?: boolean;
}

/** A page of senders, and how many there are. */
export async function listSenders(trx: Trx, query: SenderQuery): Promise<Listed<Sender>> {
  let rows = trx.selectFrom('senders');
  if (query.q !== undefined) rows = rows.where(nameHas(sql.ref('address'), query.q));
  if (query.types !== undefined) rows = rows.where('type', 'in', query.types);
  if (query.registrations !== undefined) rows = rows.where('registration', 'in', query.registrations);
  if (query.carrierAccountIds !== undefined) {
    rows = rows.where('carrier_account_id', 'in', query.carrierAccountIds);
  }
  if (query.disabled !== undefined) rows = rows.where('disabled_at', query.disabled ? 'is not' : 'is', null);
  const sorts = {
    createdAt: sql.ref('created_at'),
    address: sql`lower(address)`,
    type: sql.ref('type'),
    registration: sql.ref('registration'),
  };
  const [{ total }, items] = await Promise.all([
    rows.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
    rows
      .select(COLUMNS)
      .select(QUOTAS)
      .orderBy(orderOf(sorts[query.sort], query))
      .limit(query.limit)
      .offset(query.offset)
      .execute(),
  ]);
  return { items, total };
}

/** Changes a sender. */
export async function updateSender(trx: Trx, id: string, changes: SenderChanges): Promise<void> {
  await trx
    .updateTable('senders')
    .set((set) => ({
      ...(changes.supportsMms === undefined ? {} : { supports_mms: changes.supportsMms }),
      ...(changes.registration === undefined ? {} : { registration: changes.registration }),
      ...(changes.registrationExpiresOn === undefined
        ? {}
        : { registration_expires_on: changes.registrationExpiresOn }),
      ...(changes.segmentsPerSecond === undefined ? {} : { segments_per_second: changes.segmentsPerSecond }),
      ...(changes.mmsPerSecond === undefined ? {} : { mms_per_second: changes.mmsPerSecond }),
      ...(changes.disabledAt === undefined ? {} : { disabled_at: changes.disabledAt }),
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .execute();
}
