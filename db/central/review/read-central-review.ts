import { setImmediate as nextTurn } from 'node:timers/promises';
import { affixesOf } from '../../../domain/affixes.ts';
import type { CentralTiming } from '../../../domain/central/part-states.ts';
import {
  dueInZone,
  type PartMessageReview,
  type PartReview,
  type PartWarning,
  refusalInZone,
  timesOf,
} from '../../../domain/central/part-review.ts';
import { sendingMs } from '../../../domain/dispatch/pace.ts';
import { forecastOf } from '../../../domain/forecast.ts';
import {
  type AudienceGroup,
  fieldsOfGroup,
  type MessageFigures,
  tallyMessage,
} from '../../../domain/review/message-figures.ts';
import {
  plannedMessages,
  type PlannedMessage,
  type ReviewOrder,
} from '../../../domain/review/planned-messages.ts';
import type { ReviewFacts } from '../../../domain/review/review-facts.ts';
import {
  ACCOUNT_FIELDS,
  fieldsOf,
  isConstant,
  parseTemplate,
  type Template,
} from '../../../domain/template.ts';
import { prepareForWholeAudience, returnToDefaultPlans } from '../../audience.ts';
import type { Campaign } from '../../campaigns.ts';
import type { Trx } from '../../database.ts';
import { listMessages, type Message } from '../../messages.ts';
import { centralFacts } from './central-facts.ts';
import { type FaultyAccount, readFaults } from './read-faults.ts';
import { readGroups } from './read-groups.ts';
import { type PartSettings, readPartSettings } from './read-settings.ts';

/** What a central order would do, account by account and in all. */
export interface CentralReview {
  readonly parts: readonly PartReview[];
  readonly recipients: number;
  readonly segments: number;
  readonly costMicroUsd: number;
  /** Null when everything is exact, else how many people were rendered for the estimate. */
  readonly sampled: number | null;
  readonly planned: readonly PlannedMessage<Message>[];
  readonly facts: ReviewFacts;
}

/** The most texts that one review renders; beyond them it renders a sample of each account, and says so. */
const RENDERS_MAX = { exact: 100_000, sampled: 50_000 };
/** Of an account so many at least, however many accounts there are. */
const SAMPLE_MIN = 5;
/** Accounts between two looks at whatever else the process has to do. */
const ACCOUNTS_A_TURN = 50;

/**
 * What an order would do with a central campaign as it stands: whom each account would text, when, in how many segments
 * and for how much, by the rules and settings of that account. Set by set, since five thousand accounts asked one by one
 * would take minutes. `at` is campaign time.
 */
export async function readCentralReview(
  trx: Trx,
  campaign: Campaign,
  order: ReviewOrder,
  at: number,
): Promise<CentralReview> {
  const planned = plannedMessages(order, await listMessages(trx, campaign.id), at);
  const withMedia = planned.some(({ message }) => message.mediaIds.length > 0);
  // The pairs were fixed at the launch: a restart concerns the parts that were stopped, whatever the preset has now.
  const source = order.action === 'restart' ? campaign.id : campaign.presetId;
  const settings = source === null ? [] : await readPartSettings(trx, source, withMedia, at);
  const faults = source === null ? NO_FAULTS : await readFaults(trx, source, at);
  await prepareForWholeAudience(trx);
  const people = source === null ? EMPTY : await readPeople(trx, source, settings, planned);
  await returnToDefaultPlans(trx);
  const timing = campaign.timing ?? 'one_instant';
  const parts: PartReview[] = [];
  for (const [index, part] of settings.entries()) {
    if (index > 0 && index % ACCOUNTS_A_TURN === 0) await nextTurn();
    parts.push(reviewPart({ part, planned, people, timing, at }, faults.get(part.accountId)?.codes ?? []));
  }
  const known = new Set(settings.map((part) => part.accountId));
  for (const [accountId, fault] of faults) if (!known.has(accountId)) parts.push(absent(accountId, fault));
  const sum = (of: (part: PartReview) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const totals = {
    recipients: sum((part) => part.recipients),
    segments: sum((part) => part.segments),
    costMicroUsd: sum((part) => part.costMicroUsd),
  };
  return {
    parts,
    ...totals,
    sampled: people.sampled,
    planned,
    facts: await centralFacts(trx, { campaign, order, planned, settings, timing }, totals),
  };
}

interface People {
  /** The merge fields that the values of `personal` are of. */
  readonly names: readonly string[];
  readonly byCountry: ReadonlyMap<string, readonly AudienceGroup[]>;
  /** By values of merge fields; a sample where `sampled` says so. */
  readonly personal: ReadonlyMap<string, readonly AudienceGroup[]>;
  readonly sampled: number | null;
}

const EMPTY: People = { names: [], byCountry: new Map(), personal: new Map(), sampled: null };

async function readPeople(
  trx: Trx,
  presetOrCampaignId: string,
  settings: readonly PartSettings[],
  planned: readonly PlannedMessage<Message>[],
): Promise<People> {
  const templates = planned.map(({ message }) => templateOf(message)).filter((one) => !isConstant(one));
  const names = [...new Set(templates.flatMap(fieldsOf))].filter((name) => !ACCOUNT_FIELDS.has(name));
  const byCountry = await readGroups(trx, presetOrCampaignId, settings, { fields: [], sampleSize: null });
  if (templates.length === 0) return { ...EMPTY, byCountry };
  const renders = peopleIn(byCountry) * templates.length;
  const sampleSize =
    renders <= RENDERS_MAX.exact
      ? null
      : Math.max(
          SAMPLE_MIN,
          Math.floor(RENDERS_MAX.sampled / templates.length / Math.max(1, settings.length)),
        );
  const personal = await readGroups(trx, presetOrCampaignId, settings, { fields: names, sampleSize });
  return { names, byCountry, personal, sampled: sampleSize === null ? null : peopleIn(personal) };
}

function peopleIn(groups: ReadonlyMap<string, readonly AudienceGroup[]>): number {
  return [...groups.values()].reduce((sum, some) => sum + countOf(some), 0);
}

function countOf(groups: readonly AudienceGroup[]): number {
  return groups.reduce((sum, group) => sum + group.count, 0);
}

interface PartFacts {
  readonly part: PartSettings;
  readonly planned: readonly PlannedMessage<Message>[];
  readonly people: People;
  readonly timing: CentralTiming;
  readonly at: number;
}

function reviewPart(facts: PartFacts, faults: readonly PartWarning[]): PartReview {
  const { part, planned, timing, at } = facts;
  const figures = planned.map((one) => figuresOf(facts, one));
  const dues = planned.map((one) => dueOf(one, timing, part.timeZone));
  const forecasts = forecastsOf(facts, figures, dues);
  const messages = planned.map(({ message }, index): PartMessageReview => {
    const own = figures[index];
    const forecast = forecasts.find((one) => one.messageId === message.id) ?? null;
    return {
      position: message.position,
      recipients: own?.recipients ?? 0,
      segments: own?.segments ?? 0,
      costMicroUsd: own?.costMicroUsd ?? 0,
      ...timesOf(dues[index] ?? null, forecast),
      ...(part.sender === null ? { startsAt: null, endsAt: null } : {}),
    };
  });
  const refusals = planned.flatMap(
    ({ schedule }) => refusalInZone(schedule, timing, part.timeZone, at) ?? [],
  );
  const warnings: PartWarning[] = [
    ...faults,
    ...(part.sender === null && !faults.some((code) => NO_SENDER.has(code)) ? ['no_sender' as const] : []),
    ...(part.isHeld ? ['held' as const] : []),
    ...(messages.every((one) => one.recipients === 0) ? ['nobody' as const] : []),
    ...(messages.some((one) => one.waits) ? ['waits' as const] : []),
    ...(forecasts.some((one) => one.expires !== null) ? ['expires' as const] : []),
  ];
  return {
    accountId: part.accountId,
    name: part.name,
    timeZone: part.timeZone,
    lists: part.lists,
    recipients: Math.max(0, ...messages.map((one) => one.recipients)),
    segments: messages.reduce((sum, one) => sum + one.segments, 0),
    costMicroUsd: messages.reduce((sum, one) => sum + one.costMicroUsd, 0),
    messages,
    warnings,
    refusals: [...new Set(refusals)],
  };
}

const NO_SENDER: ReadonlySet<PartWarning> = new Set(['no_sender', 'registration_lapsed']);

const NO_FAULTS: ReadonlyMap<string, FaultyAccount> = new Map();

/** An account of which nothing is sent: nothing is told of it but that. */
function absent(accountId: string, fault: FaultyAccount): PartReview {
  return {
    accountId,
    name: fault.name ?? '',
    timeZone: fault.timeZone ?? '',
    lists: 0,
    recipients: 0,
    segments: 0,
    costMicroUsd: 0,
    messages: [],
    warnings: fault.codes,
    refusals: [],
  };
}

function figuresOf(
  { part, people, at }: PartFacts,
  { message, dueAt }: PlannedMessage<Message>,
): MessageFigures {
  const template = templateOf(message);
  const reviewed = {
    template,
    affixes: affixesOf(part, message),
    kind: kindOf(message),
    senderType: part.sender?.type ?? ('long_code' as const),
    at: dueAt ?? at,
  };
  const { add, figures } = tallyMessage(reviewed);
  const all = people.byCountry.get(part.accountId) ?? [];
  const groups = isConstant(template) ? all : (people.personal.get(part.accountId) ?? []);
  const names = isConstant(template) ? [] : people.names;
  for (const group of groups) add(group, fieldsOfGroup(names, group, part));
  const rendered = countOf(groups);
  return figures(rendered === 0 ? 1 : countOf(all) / rendered);
}

/** "Now" has no schedule, and is the same instant for all. */
function dueOf(
  { schedule, dueAt }: PlannedMessage<Message>,
  timing: CentralTiming,
  timeZone: string,
): number | null {
  return schedule === null ? dueAt : dueInZone(schedule, timing, timeZone);
}

/** Without a sender only the account's hours are told: whether it would have to wait for them, and expires before. */
function forecastsOf(
  { part, planned, at }: PartFacts,
  figures: readonly MessageFigures[],
  dues: readonly (number | null)[],
) {
  const { sender } = part;
  const jobs = planned.flatMap(({ message }, index) => {
    const own = figures[index];
    const dueAt = dues[index] ?? null;
    if (own === undefined || dueAt === null) return [];
    const kind = kindOf(message);
    const units = kind === 'mms' ? own.recipients : own.segments;
    return [
      {
        messageId: message.id,
        kind,
        dueAt,
        expiresAt: dueAt + message.expiresAfterMs,
        timeZone: part.timeZone,
        quietHours: part.quietHours,
        recipients: own.recipients,
        units,
        workMs:
          sender === null
            ? 0
            : sendingMs({
                recipients: own.recipients,
                units,
                pace: kind === 'mms' ? sender.mmsPerSecond : sender.segmentsPerSecond,
                isSameForAll: isConstant(templateOf(message)),
                limit: sender.limit,
              }),
      },
    ];
  });
  return forecastOf(at, jobs);
}

function templateOf(message: Message): Template {
  const parsed = parseTemplate(message.text);
  // A text is checked when it is given, so a malformed one is not stored.
  if (parsed.kind === 'malformed') throw new Error('A stored message is malformed.');
  return parsed.template;
}

function kindOf(message: Message): 'sms' | 'mms' {
  return message.mediaIds.length > 0 ? 'mms' : 'sms';
}
