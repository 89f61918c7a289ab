import type { UnknownStore } from '../../domain/dispatch/unknown-store.ts';
import type { Db } from '../database.ts';
import { grantList, slowLists } from './grant-list.ts';
import { closeUnknowns, knownTexts, nextTurnAt, putOff, recordVerdict, takeUnknown } from './unknowns.ts';

/** Unknown attempts in PostgreSQL. */
export function createPostgresUnknownStore(db: Db): UnknownStore {
  return {
    takeUnknown: (carrierAccountId, at, againAt) => takeUnknown(db, carrierAccountId, at, againAt),
    nextTurnAt: (carrierAccountId) => nextTurnAt(db, carrierAccountId),
    knownTexts: (carrierAccountId, of, since, until) => knownTexts(db, carrierAccountId, of, since, until),
    recordVerdict: (key, evidence, uuid) => recordVerdict(db, key, evidence, uuid),
    putOff: (key, until) => putOff(db, key, until),
    closeUnknowns: (carrierAccountId, postedBefore, howMany) =>
      closeUnknowns(db, carrierAccountId, postedBefore, howMany),
    grantList: (carrierAccountId) => grantList(db, carrierAccountId),
    slowLists: (carrierAccountId, delayMs) => slowLists(db, carrierAccountId, delayMs),
  };
}
