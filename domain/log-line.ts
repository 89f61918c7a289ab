/** What a line of the log can be about. */
export const LOG_SUBJECTS = [
  'account',
  'alert',
  'campaign',
  'carrier_account',
  'contact',
  'hold',
  'import',
  'key',
  'list',
  'media',
  'message',
  'person',
  'preset',
  'quota',
  'refused_phrase',
  'sender',
  'suppression',
  'test_number',
] as const;

/** The one thing that a line of the log is about. */
export interface LogSubject {
  readonly kind: (typeof LOG_SUBJECTS)[number];
  readonly id: string;
}

/** Before or after a change: a status or the like, or the fields that changed. */
export type LogValue = string | Readonly<Record<string, unknown>>;
