/**
 * The moments at which a process may die with a different consequence each. They sit in the real path;
 * tests and the simulator name one and kill the process there.
 */
export const CRASH_POINTS = [
  'freeze.before_commit',
  'freeze.committed',
  'lane.fenced',
  'lease.before_commit',
  'lease.committed',
  'post.before',
  'post.answered',
  'record.before_commit',
  'record.committed',
  'hold.committed',
  'report.before_commit',
  'report.committed',
  'import.batch_written',
  'import.before_commit',
  'import.committed',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Called at each crash point. Production passes one that does nothing. */
export type CrashHook = (point: CrashPoint) => void;

/** The hook of a process that nobody wants to crash. */
export const noCrash: CrashHook = () => undefined;
