/** A piece of a template: literal text, or a field with what stands in for it where a recipient lacks it. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string; readonly fallback: string | null };

/** A parsed text with merge fields. */
export interface Template {
  readonly parts: readonly TemplatePart[];
}

/** `position` is where the faulty braces begin, in UTF-16 code units; `message` says how to mend it. */
export type ParsedTemplate =
  | { readonly kind: 'template'; readonly template: Template }
  | { readonly kind: 'malformed'; readonly position: number; readonly message: string };

/** The values of one recipient and his account. Null, absent and blank values count as missing. */
export interface MergeFields {
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly number: string | null;
  readonly custom: Readonly<Record<string, string>>;
  readonly account: { readonly name: string | null; readonly senderName: string | null };
}

/** A rendered text; `missing` names each field once that had neither value nor fallback and left nothing behind. */
export interface RenderedText {
  readonly text: string;
  readonly missing: readonly string[];
}

/** The most characters of a custom field's key. */
export const CUSTOM_KEY_LENGTH_MAX = 64;

/** The fields that are the same for all recipients of an account. */
export const ACCOUNT_FIELDS: ReadonlySet<string> = new Set(['account.name', 'account.senderName']);

const CONTACT_FIELDS: ReadonlySet<string> = new Set(['firstName', 'lastName', 'number']);
const CUSTOM_PREFIX = 'custom.';
const CUSTOM_KEY_PATTERN = /^\p{L}[\p{L}\p{M}\p{N}_-]*$/u;

/**
 * Parses `{{firstName}}`, `{{firstName|there}}`, `{{account.senderName}}`, `{{custom.city|your city}}`. Space
 * around a name and its fallback is ignored; an empty fallback says that nothing may stand there.
 */
export function parseTemplate(text: string): ParsedTemplate {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf('{{', from);
    if (open === -1) break;
    const close = text.indexOf('}}', open + 2);
    const inner = close === -1 ? null : text.slice(open + 2, close);
    if (inner === null || inner.includes('{{')) {
      return malformed(open, 'This merge field is not closed: write }} after its name.');
    }
    const field = parseField(inner, open);
    if (field.kind === 'malformed') return field;
    if (open > from) parts.push({ kind: 'text', text: text.slice(from, open) });
    parts.push(field);
    from = close + 2;
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return { kind: 'template', template: { parts } };
}

/** The names of the fields a template uses, each once, in order of appearance. */
export function fieldsOf(template: Template): string[] {
  const names = new Set<string>();
  for (const part of template.parts) if (part.kind === 'field') names.add(part.name);
  return [...names];
}

/** The names of the fields that stand without a fallback at least once: whoever lacks one gets a hole there. */
export function fieldsWithoutFallback(template: Template): string[] {
  const names = new Set<string>();
  for (const part of template.parts)
    if (part.kind === 'field' && part.fallback === null) names.add(part.name);
  return [...names];
}

/** Whether every recipient gets the same text, because all fields are among the constant ones. */
export function isConstant(
  template: Template,
  constantFields: ReadonlySet<string> = ACCOUNT_FIELDS,
): boolean {
  return template.parts.every((part) => part.kind === 'text' || constantFields.has(part.name));
}

/** Renders a template for one recipient. What a value contains is text: braces in it are never parsed again. */
export function renderTemplate(template: Template, fields: MergeFields): RenderedText {
  let text = '';
  const missing: string[] = [];
  for (const part of template.parts) {
    if (part.kind === 'text') {
      text += part.text;
      continue;
    }
    const value = valueOf(part.name, fields);
    if (value !== null) text += value;
    else if (part.fallback !== null) text += part.fallback;
    else if (!missing.includes(part.name)) missing.push(part.name);
  }
  return { text, missing };
}

/** Whether a custom field can have this key: a letter of any script, then letters, digits, _ and -; 64 at most. */
export function isCustomKey(key: string): boolean {
  return key.length <= CUSTOM_KEY_LENGTH_MAX && CUSTOM_KEY_PATTERN.test(key);
}

/** Whether a merge field of this name exists: a contact's, an account's, or `custom.` and a key. */
export function isFieldName(name: string): boolean {
  if (CONTACT_FIELDS.has(name) || ACCOUNT_FIELDS.has(name)) return true;
  return name.startsWith(CUSTOM_PREFIX) && isCustomKey(name.slice(CUSTOM_PREFIX.length));
}

function parseField(
  inner: string,
  position: number,
): Extract<TemplatePart, { kind: 'field' }> | Extract<ParsedTemplate, { kind: 'malformed' }> {
  const bar = inner.indexOf('|');
  const name = (bar === -1 ? inner : inner.slice(0, bar)).trim();
  if (name === '') return malformed(position, 'This merge field has no name.');
  if (!isFieldName(name)) {
    return malformed(
      position,
      'No merge field has this name. Known are firstName, lastName, number, account.name, account.senderName ' +
        'and custom.<key>.',
    );
  }
  return { kind: 'field', name, fallback: bar === -1 ? null : inner.slice(bar + 1).trim() };
}

function malformed(position: number, message: string): Extract<ParsedTemplate, { kind: 'malformed' }> {
  return { kind: 'malformed', position, message };
}

function valueOf(name: string, fields: MergeFields): string | null {
  const value = rawValueOf(name, fields);
  return value === null || value === undefined || value.trim() === '' ? null : value;
}

function rawValueOf(name: string, fields: MergeFields): string | null | undefined {
  switch (name) {
    case 'firstName':
      return fields.firstName;
    case 'lastName':
      return fields.lastName;
    case 'number':
      return fields.number;
    case 'account.name':
      return fields.account.name;
    case 'account.senderName':
      return fields.account.senderName;
    default: {
      const key = name.slice(CUSTOM_PREFIX.length);
      return Object.hasOwn(fields.custom, key) ? fields.custom[key] : null;
    }
  }
}
