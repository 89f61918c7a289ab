import type { StartMode } from './campaign-status.ts';
import { isQuiet, nextPermitted, type QuietHours } from './quiet-hours.ts';
import type { Schedule } from './schedule.ts';
import { isTimeZone, resolveLocalTime, toOffsetString } from './zoned-time.ts';

/** The words that a campaign's owner acknowledges before anybody is texted. */
export const ACKNOWLEDGEMENT =
  'I understand that I am required to obtain and store opt-in approval for every mobile number texted.';

/** The most messages of a campaign. */
export const MESSAGES_MAX = 50;

/** One thing that a launch lacks or refuses: a JSON pointer, a stable code, and how to mend it. */
export interface LaunchIssue {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** A campaign's details as far as a launch needs them. */
export interface LaunchDetails {
  readonly name: string | null;
  /** Whom it is sent to and from what: of a central campaign the preset says both. */
  readonly audience:
    | { readonly kind: 'standard'; readonly senderId: string | null; readonly listIds: readonly string[] }
    | { readonly kind: 'central'; readonly presetId: string | null };
  readonly ownerId: string | null;
  readonly purpose: string | null;
  readonly isAcknowledged: boolean;
  readonly messages: readonly { readonly text: string; readonly mediaCount: number }[];
}

/** Everything that a draft still needs, each with how to give it. */
export function missingDetails(details: LaunchDetails): LaunchIssue[] {
  const missing: LaunchIssue[] = [];
  const want = (present: boolean, field: string, message: string): void => {
    if (!present) missing.push({ pointer: `/${field}`, code: 'missing', message });
  };
  want(details.name !== null, 'name', 'Give the campaign a name.');
  const { audience } = details;
  if (audience.kind === 'central') {
    want(audience.presetId !== null, 'presetId', 'Choose the preset of sub-accounts and lists.');
  } else {
    want(audience.senderId !== null, 'senderId', 'Choose the number it is sent from.');
    want(audience.listIds.length > 0, 'listIds', 'Choose at least one contact list.');
  }
  want(details.ownerId !== null, 'ownerId', 'Name the person who owns it.');
  want(details.purpose !== null, 'purpose', 'Say whether it is marketing, informational or service.');
  want(details.isAcknowledged, 'acknowledgement', `Acknowledge: "${ACKNOWLEDGEMENT}"`);
  want(details.messages.length > 0, 'messages', 'Add at least one message.');
  for (const [index, message] of details.messages.entries()) {
    want(
      message.text.trim() !== '' || message.mediaCount > 0,
      `messages/${index}/text`,
      'Write a text or attach a picture.',
    );
  }
  return missing;
}

/** A message's schedule, as a launch or a restart looks at it. */
export interface ScheduledMessage {
  readonly pointer: string;
  readonly schedule: Schedule | null;
}

/** Where and when an account may not text. */
export interface AccountClock {
  readonly timeZone: string;
  readonly quietHours: QuietHours;
}

/** Why these schedules cannot be launched at this instant (epoch milliseconds), each with how to mend it. */
export function scheduleIssues(
  mode: StartMode,
  at: number,
  clock: AccountClock,
  messages: readonly ScheduledMessage[],
): LaunchIssue[] {
  if (mode === 'later') return messages.flatMap((message) => oneIssue(message, at, clock, true));
  const issues: LaunchIssue[] = [];
  const [first, ...rest] = messages;
  if (mode === 'now') {
    issues.push(...quietIssue('/start', at, clock));
    return [...issues, ...rest.flatMap((message) => oneIssue(message, at, clock, false))];
  }
  return [...(first === undefined ? [] : [first]), ...rest].flatMap((message) =>
    oneIssue(message, at, clock, false),
  );
}

function oneIssue(
  message: ScheduledMessage,
  at: number,
  clock: AccountClock,
  mayLack: boolean,
): LaunchIssue[] {
  const { schedule, pointer } = message;
  if (schedule === null) {
    if (mayLack) return [];
    return [{ pointer, code: 'missing', message: 'Give the message a schedule: a local time and a zone.' }];
  }
  const resolved = resolveSchedule(schedule, pointer, at);
  if (resolved.kind === 'issue') return [resolved.issue];
  return quietIssue(pointer, resolved.at, clock);
}

/** How far ahead a message can be scheduled: whoever plans for longer has mistyped the year. */
const SCHEDULE_AHEAD_MS_MAX = 2 * 366 * 24 * 60 * 60_000;

/** The instant of a schedule that is given at `at` (epoch milliseconds), or what is wrong with it. */
export function resolveSchedule(
  schedule: Schedule,
  pointer: string,
  at: number,
):
  | { readonly kind: 'instant'; readonly at: number }
  | { readonly kind: 'issue'; readonly issue: LaunchIssue } {
  const issue = (field: string, code: string, message: string) =>
    ({ kind: 'issue', issue: { pointer: `${pointer}/${field}`, code, message } }) as const;
  if (!isTimeZone(schedule.zone)) {
    return issue('zone', 'unknown-zone', 'Give an IANA time zone, such as America/New_York.');
  }
  const resolved = resolveLocalTime(schedule.local, schedule.zone);
  switch (resolved.kind) {
    case 'instant':
      if (resolved.at < at) {
        const message = 'This time has passed. Choose one in the future.';
        return { kind: 'issue', issue: { pointer, code: 'schedule-past', message } };
      }
      if (resolved.at > at + SCHEDULE_AHEAD_MS_MAX) {
        const message = 'It lies more than two years ahead. Check the year, or choose an earlier time.';
        return { kind: 'issue', issue: { pointer, code: 'schedule-too-far', message } };
      }
      return { kind: 'instant', at: resolved.at };
    case 'malformed':
      return issue('local', 'malformed-time', 'Give a local time that exists, as YYYY-MM-DDTHH:MM.');
    case 'gap':
      return issue(
        'local',
        'time-does-not-exist',
        `The clocks go forward then, so this time does not exist. Choose ${resolved.before} or ${resolved.after}.`,
      );
  }
}

function quietIssue(pointer: string, at: number, clock: AccountClock): LaunchIssue[] {
  if (!isQuiet(at, clock.quietHours, clock.timeZone)) return [];
  const permitted = toOffsetString(nextPermitted(at, clock.quietHours, clock.timeZone), clock.timeZone);
  return [
    {
      pointer,
      code: 'quiet-hours',
      message: `It lies in the account's quiet hours, ${clock.quietHours.start} to ${clock.quietHours.end} in ${clock.timeZone}. The next permitted instant is ${permitted}.`,
    },
  ];
}
