/** A rule of a schema that a value breaks, as the validator names it. */
export interface ValidationIssue {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** An id's pattern says by which letters it is known. */
const ID = /^\^\(?([a-z|]{3,})\)?_\[0-9a-z\]/;
const FORMATS: Readonly<Record<string, string>> = {
  'date-time': 'Give an instant with its offset, such as 2027-01-14T12:00:00Z.',
  date: 'Give a date, such as 2027-01-14.',
};

/** In words what a pattern asks for that is not an id's. */
const PATTERNS: Readonly<Record<string, string>> = {
  '\\S': 'Give at least one character that is not a blank.',
  '^[A-Z]{2}$': 'Give a country by its two capital letters, such as US.',
  '^[^@\\s]+@[^@\\s]+$': 'Give a mail address, such as name@example.com.',
  '^[a-z]+/[a-z0-9.+-]+$': 'Give a media type, such as image/png.',
  '^[a-z_.]{1,60}$': 'Give a verb of the log, such as launch.',
  '^[0-9]+$': 'Give it in digits, as the answer before had it.',
  '^[0-9]{1,15}$': "Give an event's id, which is digits.",
};

/** What has to be done about a field, in a sentence that never repeats its value. */
export function howToMend({ keyword, params, message }: ValidationIssue): string {
  const limit = String(params['limit']);
  switch (keyword) {
    case 'enum':
      return `Give one of ${listed(params['allowedValues'])}.`;
    case 'const':
      return `Give exactly ${JSON.stringify(params['allowedValue'])}.`;
    case 'type':
      return `Give a value of the type ${listed(params['type'])}.`;
    case 'minLength':
      return `Give at least ${counted(limit, 'character')}.`;
    case 'maxLength':
      return `Give at most ${counted(limit, 'character')}.`;
    case 'minItems':
      return `Give at least ${counted(limit, 'item')}.`;
    case 'maxItems':
      return `Give at most ${counted(limit, 'item')}.`;
    case 'minProperties':
      return `Give at least ${counted(limit, 'field')}.`;
    case 'maxProperties':
      return `Give at most ${counted(limit, 'field')}.`;
    case 'uniqueItems':
      return 'Give each item once only.';
    case 'minimum':
      return `Give a number that is at least ${limit}.`;
    case 'maximum':
      return `Give a number that is at most ${limit}.`;
    case 'format':
      return FORMATS[String(params['format'])] ?? `Give it in the format ${String(params['format'])}.`;
    case 'pattern':
      return formOf(String(params['pattern']));
    default:
      return `It ${message ?? 'is not valid'}.`;
  }
}

function formOf(pattern: string): string {
  const [, prefixes] = ID.exec(pattern) ?? [];
  if (prefixes === undefined) {
    return PATTERNS[pattern] ?? `Give it in the form ${pattern} (a regular expression).`;
  }
  return `Give an id that begins with ${prefixes
    .split('|')
    .map((prefix) => `${prefix}_`)
    .join(' or ')}, as it was handed out.`;
}

function listed(values: unknown): string {
  return Array.isArray(values) ? values.join(', ') : String(values);
}

function counted(count: string, what: string): string {
  return `${count} ${what}${count === '1' ? '' : 's'}`;
}
