import { hasOptOutInstruction } from './opt-out-instruction.ts';
import type { SenderType } from './sender.ts';
import { ACCOUNT_FIELDS, fieldsOf, type MergeFields, parseTemplate, renderTemplate } from './template.ts';

/** What an account puts before and after its texts, rendered; an empty text is nothing. */
export interface Affixes {
  readonly prefix: string;
  readonly suffix: string;
}

/** The most characters of an account's prefix, and of its suffix, as written. */
export const AFFIX_LENGTH_MAX = 100;

/** What an account has of it, as templates. */
export interface AffixTemplates {
  readonly prefix: string;
  readonly suffix: string;
}

/** Why this cannot be a prefix or suffix, with how to mend it, or null: it may use fields of the account only. */
export function affixFault(text: string): string | null {
  const parsed = parseTemplate(text);
  if (parsed.kind === 'malformed') return parsed.message;
  const foreign = fieldsOf(parsed.template).find((field) => !ACCOUNT_FIELDS.has(field));
  return foreign === undefined
    ? null
    : `It is the same for everybody, so it can use account.name and account.senderName only, not ${foreign}.`;
}

/** The account's prefix and suffix for one message, which may switch either off. */
export function affixesOf(
  account: AffixTemplates & MergeFields['account'],
  message: { readonly usePrefix: boolean; readonly useSuffix: boolean },
): Affixes {
  return {
    prefix: message.usePrefix ? renderForAccount(account.prefix, account) : '',
    suffix: message.useSuffix ? renderForAccount(account.suffix, account) : '',
  };
}

/**
 * Which affixes a rendered text lacks, without regard to case. A suffix that says how to opt out is not added to a
 * text that says so in words of its own.
 */
export function lackingAffixes(text: string, affixes: Affixes): Affixes {
  // Upper case does not depend on neighbours, as that of a final sigma in lower case does.
  const upper = text.toUpperCase();
  const lacks = (affix: string): boolean => {
    const wanted = affix.trim().toUpperCase();
    return wanted !== '' && !upper.includes(wanted);
  };
  const isInstruction = hasOptOutInstruction(affixes.suffix);
  return {
    prefix: lacks(affixes.prefix) ? affixes.prefix : '',
    suffix: lacks(affixes.suffix) && !(isInstruction && hasOptOutInstruction(text)) ? affixes.suffix : '',
  };
}

/**
 * Which affixes a message has switched off although its text lacks them. A sender that shows a name says by itself
 * who sends.
 */
export function switchedOffAffixes(message: {
  readonly text: string;
  readonly usePrefix: boolean;
  readonly useSuffix: boolean;
  readonly senderType: SenderType | null;
  readonly account: AffixTemplates & MergeFields['account'];
}): { readonly prefix: boolean; readonly suffix: boolean } {
  const lacking = lackingAffixes(
    renderForAccount(message.text, message.account),
    affixesOf(message.account, { usePrefix: true, useSuffix: true }),
  );
  return {
    prefix: !message.usePrefix && lacking.prefix !== '' && message.senderType !== 'alphanumeric',
    suffix: !message.useSuffix && lacking.suffix !== '',
  };
}

/** A rendered text with what it lacks of the account's prefix and suffix. */
export function withAffixes(text: string, affixes: Affixes): string {
  if (affixes.prefix === '' && affixes.suffix === '') return text;
  const { prefix, suffix } = lackingAffixes(text, affixes);
  return `${prefix}${text}${suffix}`;
}

/** The text as far as it is the same for everybody; empty when it is malformed. */
function renderForAccount(text: string, { name, senderName }: MergeFields['account']): string {
  const parsed = parseTemplate(text);
  if (parsed.kind === 'malformed') return '';
  return renderTemplate(parsed.template, {
    firstName: null,
    lastName: null,
    number: null,
    custom: {},
    account: { name, senderName },
  }).text;
}
