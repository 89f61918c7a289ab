/**
 * What keeps the database from doing what it was asked for, through no fault of who asked. `full`: its disk has no room
 * left. `busy`: it takes no further connection, or all of ours are in use. `locked`: somebody else is changing the same,
 * and was waited for long enough. `unavailable`: it cannot be reached, is starting, or has broken the connection off.
 */
export type DatabaseTrouble = 'full' | 'busy' | 'locked' | 'unavailable';

/** By SQLSTATE as PostgreSQL's manual lists it (appendix A), and by the operating system's words for a connection. */
const TROUBLE_OF_CODE: Readonly<Record<string, DatabaseTrouble>> = {
  '53100': 'full',
  '53200': 'busy',
  '53300': 'busy',
  '40001': 'locked',
  '40P01': 'locked',
  '55P03': 'locked',
  '25P03': 'unavailable',
  '57P01': 'unavailable',
  '57P02': 'unavailable',
  '57P03': 'unavailable',
  '08000': 'unavailable',
  '08001': 'unavailable',
  '08003': 'unavailable',
  '08004': 'unavailable',
  '08006': 'unavailable',
  ECONNREFUSED: 'unavailable',
  ECONNRESET: 'unavailable',
  EPIPE: 'unavailable',
  ETIMEDOUT: 'unavailable',
  EHOSTUNREACH: 'unavailable',
  ENETUNREACH: 'unavailable',
  ENOTFOUND: 'unavailable',
  EAI_AGAIN: 'unavailable',
};

/** What `pg` says of its own accord has no code. */
const TROUBLE_OF_MESSAGE: Readonly<Record<string, DatabaseTrouble>> = {
  'timeout exceeded when trying to connect': 'busy',
  'Connection terminated': 'unavailable',
  'Connection terminated unexpectedly': 'unavailable',
  'Connection terminated due to connection timeout': 'unavailable',
  'Client has encountered a connection error and is not queryable': 'unavailable',
  'Client was closed and is not queryable': 'unavailable',
};

/** Reads an error of the database's client; null when it is one of another kind. */
export function databaseTroubleOf(error: unknown): DatabaseTrouble | null {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return TROUBLE_OF_CODE[code] ?? TROUBLE_OF_MESSAGE[error.message] ?? null;
}
