import { LEASE_AGE_MS_MAX } from './pace.ts';

/** No request to a carrier takes longer; after that its answer is not waited for. */
export const REQUEST_MS_MAX = 15_000;
/** A lease's age goes by the clock of its worker, what was lost is dated by that of the database. */
const CLOCKS_MS = 5_000;

/**
 * Whoever was leased by a lane that was given up as lost may be on his way for so long after that, in machine time: the
 * lane may live, and posts on until it hears that it is over or its lease is too old, and its last request takes a while.
 */
export const STRAGGLING_MS_MAX = LEASE_AGE_MS_MAX + REQUEST_MS_MAX + CLOCKS_MS;
