import { sql } from 'kysely';
import { type Affixes, affixesOf } from '../../domain/affixes.ts';
import type { LaneRef, LeasedRecipient, LeaseRefusal } from '../../domain/dispatch/dispatch-store.ts';
import type { RequestLimit } from '../../domain/dispatch/pace.ts';
import type { Quota } from '../../domain/dispatch/quota.ts';
import type { SenderType } from '../../domain/sender.ts';
import { parseTemplate, type Template } from '../../domain/template.ts';
import { centralScopesOf } from '../central/central-scopes.ts';
import type { Trx } from '../database.ts';
import { prepareQuery } from '../prepared-query.ts';
import type { StoredUse } from './claim-quotas.ts';

/** Everything about a message that its claims look at, read in one query at the start of each lease. */
export interface LeaseContext {
  readonly messageKey: number;
  readonly campaignKey: number;
  /** Some lease of the campaign has been made before. */
  readonly everLeased: boolean;
  readonly month: string;
  readonly template: Template;
  readonly affixes: Affixes;
  readonly mediaTokens: readonly string[];
  readonly expiresAt: number | null;
  /** The gates of a part's central campaign and parent. */
  readonly centralScopes: readonly string[];
  readonly account: {
    readonly name: string;
    readonly senderName: string;
    readonly timeZone: string;
    readonly quietHours: { readonly start: string; readonly end: string };
    readonly countries: readonly string[];
  };
  readonly sender: {
    readonly id: string;
    readonly address: string;
    readonly type: SenderType;
    readonly isDisabled: boolean;
    readonly registration: string;
    readonly registrationExpiresOn: string | null;
    /** Segments a second for SMS, messages a second for MMS; null is unpaced. */
    readonly pace: number | null;
    readonly carrierAccountId: string;
    readonly requestLimit: RequestLimit;
    /** How many requests the carrier takes at once; 0 is any number. */
    readonly atOnceMax: number;
    /** What it shares with other senders, in the order of their ids. */
    readonly quotas: readonly Quota[];
  };
  readonly kind: 'sms' | 'mms';
}

/** Somebody in the range who is not texted, and why. */
export interface Skip {
  readonly recipient: number;
  readonly reason: string;
}

/** What a lane asks for, before anything has been read. */
export interface LeaseRequest {
  readonly lane: LaneRef;
  readonly fence: number;
  /** Campaign time. */
  readonly at: number;
}

/** A lease in the making: each claim narrows or completes it. */
export interface LeaseDraft extends LeaseRequest {
  readonly context: LeaseContext;
  /** The width granted so far; no claim raises it. */
  width: number;
  wave: {
    readonly id: number;
    readonly number: number;
    /** Its members stay what they were until a new attempt has a result. */
    readonly repeats: boolean;
    readonly round: number | null;
    readonly nextOrdinal: number;
  } | null;
  /** Those who may be texted, in the order of the wave, each with his ordinal. */
  people: (LeasedRecipient & { readonly ordinal: number })[];
  skips: (Skip & { readonly ordinal: number })[];
  /** A circuit is open and this lease tries whether it may be closed. */
  isProbe: boolean;
  /** Machine milliseconds of a pause that still lasts, whether or not the carrier and the sender set a limit. */
  pauseMs: number;
  closesAt: number | null;
  spendMonth: string;
  /** What is used of the sender's quotas, once they are locked. */
  quotaUses: readonly StoredUse[];
}

/**
 * A claim asks the database, and then judges by what it was answered. The claims of a stage ask together, so none may
 * need what another one's judgement makes of the draft in order to ask; they judge in their order.
 */
export type Claim = (trx: Trx, draft: LeaseDraft) => Promise<Judge>;
/** The same for one that asks before the message has been read. */
export type FirstClaim = (trx: Trx, request: LeaseRequest) => Promise<Judge>;
/** Passes with null, perhaps after narrowing the draft, or refuses the lease. */
export type Judge = (draft: LeaseDraft) => LeaseRefusal | null | Promise<LeaseRefusal | null>;

/** The judgement of a claim that has nothing to say. */
export const passes: Judge = () => null;

/** Keeps the first `count` people, and those refused before the first who is cut off. */
export function narrowTo(draft: LeaseDraft, count: number): void {
  const cut = draft.people[count];
  if (cut === undefined) return;
  draft.people = draft.people.slice(0, count);
  draft.skips = draft.skips.filter((skip) => skip.ordinal < cut.ordinal);
}

const askForContext = prepareQuery((db, { messageId }: { readonly messageId: string }) =>
  db
    .selectFrom('messages as m')
    .innerJoin('campaigns as c', 'c.id', 'm.campaign_id')
    .innerJoin('accounts as a', 'a.id', 'm.account_id')
    .innerJoin('senders as s', 's.id', 'c.sender_id')
    .innerJoin('carrier_accounts as k', 'k.id', 's.carrier_account_id')
    .where('m.id', '=', messageId)
    .where('c.deleted_at', 'is', null)
    .select([
      'm.key as messageKey',
      'm.text',
      'm.media_ids as mediaIds',
      'm.expires_at as expiresAt',
      'm.use_prefix as usePrefix',
      'm.use_suffix as useSuffix',
      'c.key as campaignKey',
      'c.audience_month as month',
      'c.ever_leased as everLeased',
      'a.name as accountName',
      'a.sender_name as senderName',
      'a.prefix',
      'a.suffix',
      'a.time_zone as timeZone',
      'a.quiet_start as quietStart',
      'a.quiet_end as quietEnd',
      'a.countries',
      's.id as senderId',
      's.address',
      's.type as senderType',
      's.disabled_at as disabledAt',
      's.registration',
      's.registration_expires_on as registrationExpiresOn',
      's.segments_per_second as segmentsPerSecond',
      's.mms_per_second as mmsPerSecond',
      's.carrier_account_id as carrierAccountId',
      'k.requests_max as requestsMax',
      'k.requests_at_once_max as atOnceMax',
      'k.requests_window_ms as windowMs',
    ])
    .select(
      sql<
        string[] | null
      >`coalesce(m.media_tokens, (select array_agg(x.token order by array_position(m.media_ids, x.id))
        from media x where x.id = any(m.media_ids)))`.as('mediaTokens'),
    )
    .select(centralScopesOf('c').as('centralScopes'))
    .select(
      sql<
        Quota[] | null
      >`(select json_agg(json_build_object('id', q.id, 'name', q.name, 'rateUnits', q.rate_units,
          'ratePeriod', q.rate_period, 'dayUnits', q.day_units, 'resetZone', q.reset_zone,
          'sharePercent', q.share_percent) order by q.id)
        from sender_quotas x join quotas q on q.id = x.quota_id where x.sender_id = s.id)`.as('quotas'),
    )
    .compile(),
);

/** Reads the message with what surrounds it, or null when it, its campaign's audience or its sender is gone. */
export async function readLeaseContext(trx: Trx, lane: LaneRef): Promise<LeaseContext | null> {
  const [row] = await askForContext(trx, { messageId: lane.messageId });
  if (row === undefined || row.month === null) return null;
  const parsed = parseTemplate(row.text);
  if (parsed.kind === 'malformed') return null;
  const kind = row.mediaIds.length > 0 ? 'mms' : 'sms';
  return {
    messageKey: row.messageKey,
    campaignKey: row.campaignKey,
    month: row.month,
    everLeased: row.everLeased,
    template: parsed.template,
    affixes: affixesOf({ ...row, name: row.accountName }, row),
    mediaTokens: row.mediaTokens ?? [],
    centralScopes: row.centralScopes,
    expiresAt: row.expiresAt === null ? null : row.expiresAt.getTime(),
    account: {
      name: row.accountName,
      senderName: row.senderName,
      timeZone: row.timeZone,
      quietHours: { start: row.quietStart, end: row.quietEnd },
      countries: row.countries,
    },
    sender: {
      id: row.senderId,
      address: row.address,
      type: row.senderType,
      isDisabled: row.disabledAt !== null,
      registration: row.registration,
      registrationExpiresOn: row.registrationExpiresOn,
      pace: kind === 'mms' ? row.mmsPerSecond : row.segmentsPerSecond,
      carrierAccountId: row.carrierAccountId,
      requestLimit: { requestsMax: row.requestsMax, windowMs: row.windowMs },
      atOnceMax: row.atOnceMax,
      quotas: row.quotas ?? [],
    },
    kind,
  };
}
