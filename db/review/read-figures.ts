import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type AudienceGroup,
  fieldsOfGroup,
  type MessageFigures,
  type ReviewedMessage,
  tallyMessage,
} from '../../domain/review/message-figures.ts';
import { ACCOUNT_FIELDS, fieldsOf, isConstant, type MergeFields } from '../../domain/template.ts';
import type { Trx } from '../database.ts';
import { type Audience, type AudienceCounts, countAudience } from './count-audience.ts';

/** What messages to the same audience would send. */
export interface AudienceFigures {
  readonly counts: AudienceCounts;
  readonly messages: readonly MessageFigures[];
  /** Null when everything is exact, else how many people were rendered for the estimate. */
  readonly sampled: number | null;
}

/** The most texts that one review renders; beyond them it renders a sample, and says so. */
const RENDERS_MAX = { exact: 100_000, sampled: 50_000 };
/** Renders between two looks at whatever else the process has to do. */
const RENDERS_A_TURN = 2_000;

/**
 * What these messages would send to an audience. A text that is the same for all is counted by country, others once
 * for each combination of the fields' values; only where there are too many of those is a sample rendered.
 */
export async function readFigures(
  trx: Trx,
  audience: Audience,
  messages: readonly ReviewedMessage[],
  account: MergeFields['account'],
  rendersMax = RENDERS_MAX,
): Promise<AudienceFigures> {
  const personal = messages.filter((message) => !isConstant(message.template));
  const names = [...new Set(personal.flatMap((message) => fieldsOf(message.template)))].filter(
    (name) => !ACCOUNT_FIELDS.has(name),
  );
  const { counts, groups, isSample } = await countAudience(trx, audience, {
    fields: names,
    groupsMax: Math.floor(rendersMax.exact / Math.max(1, personal.length)),
    sampleSize: Math.floor(rendersMax.sampled / Math.max(1, personal.length)),
  });
  const permitted = total(counts.groups);
  const factor = isSample && groups.length > 0 ? permitted / total(groups) : 1;
  const figures: MessageFigures[] = [];
  for (const message of messages) {
    const own = personal.includes(message)
      ? await tally(message, groups, names, account, factor)
      : await tally(message, counts.groups, [], account, 1);
    figures.push(own);
  }
  return { counts, messages: figures, sampled: isSample ? groups.length : null };
}

async function tally(
  message: ReviewedMessage,
  groups: readonly AudienceGroup[],
  names: readonly string[],
  account: MergeFields['account'],
  factor: number,
): Promise<MessageFigures> {
  const { add, figures } = tallyMessage(message);
  for (const [index, group] of groups.entries()) {
    if (index > 0 && index % RENDERS_A_TURN === 0) await nextTurn();
    add(group, fieldsOfGroup(names, group, account));
  }
  return figures(factor);
}

function total(groups: readonly AudienceGroup[]): number {
  return groups.reduce((sum, group) => sum + group.count, 0);
}
