import { type Affixes, withAffixes } from './affixes.ts';
import { countSegments, textFitsCarrier } from './segments.ts';
import { type MergeFields, renderTemplate, type Template } from './template.ts';

/** A message as it is rendered for each of its recipients. */
export interface RenderedMessage {
  readonly template: Template;
  readonly affixes: Affixes;
  readonly kind: 'sms' | 'mms';
}

/** What one recipient gets, or why there is no text for him. An MMS counts as one segment. */
export type Rendering =
  | { readonly kind: 'text'; readonly text: string; readonly segments: number }
  | { readonly kind: 'refused'; readonly reason: 'text_empty' | 'text_too_long' };

/** Renders a message for one recipient: the one way, for leases, reviews and test sends. */
export function renderText(message: RenderedMessage, fields: MergeFields): Rendering {
  const body = renderTemplate(message.template, fields).text;
  if (body.trim() === '' && message.kind === 'sms') return { kind: 'refused', reason: 'text_empty' };
  const text = withAffixes(body, message.affixes);
  if (!textFitsCarrier(text)) return { kind: 'refused', reason: 'text_too_long' };
  return { kind: 'text', text, segments: message.kind === 'mms' ? 1 : countSegments(text) };
}
