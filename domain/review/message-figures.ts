import { costMicroUsd } from '../rates.ts';
import { type RenderedMessage, renderText } from '../render-text.ts';
import type { SenderType } from '../sender.ts';
import type { MergeFields } from '../template.ts';

/** People of one country with the same values of the merge fields that count. */
export interface AudienceGroup {
  readonly country: string;
  /** In the order of the fields' names. */
  readonly values: readonly (string | null)[];
  readonly count: number;
  /** One of them. */
  readonly contactId: number;
}

/** A message as a review renders it. */
export interface ReviewedMessage extends RenderedMessage {
  readonly senderType: SenderType;
  /** Campaign time in epoch milliseconds; decides which rates are in force. */
  readonly at: number;
}

/** What a message would send. */
export interface MessageFigures {
  /** Who would get it. */
  readonly recipients: number;
  readonly segments: number;
  readonly costMicroUsd: number;
  /** For whom there is no text, by reason, with one of them. */
  readonly refused: readonly {
    readonly reason: string;
    readonly count: number;
    readonly contactId: number;
  }[];
}

/** The merge fields of a group; `names` are those of its values. */
export function fieldsOfGroup(
  names: readonly string[],
  group: AudienceGroup,
  account: MergeFields['account'],
): MergeFields {
  const values = new Map(names.map((name, index) => [name, group.values[index] ?? null]));
  const custom = [...values].flatMap(([name, value]) =>
    name.startsWith('custom.') && value !== null ? [[name.slice('custom.'.length), value] as const] : [],
  );
  return {
    firstName: values.get('firstName') ?? null,
    lastName: values.get('lastName') ?? null,
    number: values.get('number') ?? null,
    custom: Object.fromEntries(custom),
    account,
  };
}

/** Adds up a message group by group. `factor` is how many people each of a sample stands for; 1 when all were added. */
export function tallyMessage(message: ReviewedMessage): {
  readonly add: (group: AudienceGroup, fields: MergeFields) => void;
  readonly figures: (factor: number) => MessageFigures;
} {
  let recipients = 0;
  let segments = 0;
  let cost = 0;
  const refused = new Map<string, { readonly count: number; readonly contactId: number }>();
  return {
    add: (group, fields) => {
      const rendered = renderText(message, fields);
      if (rendered.kind === 'refused') {
        const known = refused.get(rendered.reason);
        refused.set(rendered.reason, {
          count: (known?.count ?? 0) + group.count,
          contactId: Math.min(known?.contactId ?? group.contactId, group.contactId),
        });
        return;
      }
      const { senderType, kind, at } = message;
      recipients += group.count;
      segments += group.count * rendered.segments;
      cost +=
        group.count *
        costMicroUsd({ country: group.country, senderType, kind, segments: rendered.segments, at });
    },
    figures: (factor) => ({
      recipients: Math.round(recipients * factor),
      segments: Math.round(segments * factor),
      costMicroUsd: Math.round(cost * factor),
      refused: [...refused].map(([reason, { count, contactId }]) => ({
        reason,
        count: Math.round(count * factor),
        contactId,
      })),
    }),
  };
}
