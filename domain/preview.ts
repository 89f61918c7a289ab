import {
  type AffixTemplates,
  affixesOf,
  lackingAffixes,
  switchedOffAffixes,
  withAffixes,
} from './affixes.ts';
import { messageWarnings, type Purpose } from './content-check.ts';
import { costMicroUsd } from './rates.ts';
import { gsmReplacement, measureText } from './segments.ts';
import type { SenderType } from './sender.ts';
import { type MergeFields, parseTemplate, renderTemplate } from './template.ts';

/** What a preview is made of. */
export interface PreviewFacts {
  readonly text: string;
  readonly kind: 'sms' | 'mms';
  readonly isFirst: boolean;
  readonly purpose: Purpose;
  /** Share of the lists' contacts that have a field, 0 to 1, for fields without a fallback. */
  readonly fieldCoverage: Readonly<Record<string, number>>;
  readonly fields: MergeFields;
  /** The account's prefix and suffix as templates, and whether the message uses them. */
  readonly affixes: AffixTemplates;
  readonly usePrefix: boolean;
  readonly useSuffix: boolean;
  readonly country: string;
  readonly senderType: SenderType;
  /** Campaign time in epoch milliseconds; decides which rates are in force. */
  readonly at: number;
}

/** How a message will look for an example contact, what it costs and what its author should look at. */
export function previewOf(facts: PreviewFacts) {
  const parsed = parseTemplate(facts.text);
  const rendered =
    parsed.kind === 'template'
      ? renderTemplate(parsed.template, facts.fields)
      : { text: facts.text, missing: [] };
  const affixes = affixesOf({ ...facts.affixes, ...facts.fields.account }, facts);
  const added = lackingAffixes(rendered.text, affixes);
  const text = withAffixes(rendered.text, affixes);
  const measure = measureText(text);
  const segments = facts.kind === 'mms' ? 1 : measure.segments;
  return {
    text,
    added: { prefix: added.prefix, suffix: added.suffix },
    encoding: measure.encoding,
    segments,
    units: measure.units,
    remaining: measure.remaining,
    forcing: measure.forcing.map((character) => ({ character, replacement: gsmReplacement(character) })),
    kind: facts.kind,
    cost: {
      amountMicro: costMicroUsd({
        country: facts.country,
        senderType: facts.senderType,
        kind: facts.kind,
        segments,
        at: facts.at,
      }),
      currency: 'USD' as const,
    },
    missingFields: [...rendered.missing],
    warnings: messageWarnings({
      text: `${added.prefix}${facts.text}${added.suffix}`,
      kind: facts.kind,
      isFirst: facts.isFirst,
      purpose: facts.purpose,
      fieldCoverage: facts.fieldCoverage,
      switchedOff: switchedOffAffixes({ ...facts, account: { ...facts.affixes, ...facts.fields.account } }),
    }).map((warning) => ({ ...warning })),
  };
}
