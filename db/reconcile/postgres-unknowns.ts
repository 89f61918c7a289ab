import { isTestKey, type UnknownStore } from '../../domain/dispatch/unknown-store.ts';
import type { Db } from '../database.ts';
import { grantList, slowLists } from './grant-list.ts';
import { closeUnknownTests, putTestOff, recordTestVerdict, takeUnknownTest } from './unknown-tests.ts';
import { closeUnknowns, knownTexts, nextTurnAt, putOff, recordVerdict, takeUnknown } from './unknowns.ts';

/** Unknown texts in PostgreSQL. Those on trial come first: they are few, and whoever ordered one is waiting for it. */
export function createPostgresUnknownStore(db: Db): UnknownStore {
  return {
    takeUnknown: async (carrierAccountId, at, againAt) =>
      (await takeUnknownTest(db, carrierAccountId, at, againAt)) ??
      takeUnknown(db, carrierAccountId, at, againAt),
    nextTurnAt: (carrierAccountId) => nextTurnAt(db, carrierAccountId),
    knownTexts: (carrierAccountId, of, since, until) => knownTexts(db, carrierAccountId, of, since, until),
    recordVerdict: async (key, evidence, uuid) => {
      if (!isTestKey(key)) return recordVerdict(db, key, evidence, uuid);
      await recordTestVerdict(db, key, evidence, uuid);
      return { wake: null };
    },
    putOff: (key, until) => (isTestKey(key) ? putTestOff(db, key, until) : putOff(db, key, until)),
    closeUnknowns: async (carrierAccountId, postedBefore, howMany) => {
      await closeUnknownTests(db, carrierAccountId, postedBefore);
      return closeUnknowns(db, carrierAccountId, postedBefore, howMany);
    },
    grantList: (carrierAccountId) => grantList(db, carrierAccountId),
    slowLists: (carrierAccountId, delayMs) => slowLists(db, carrierAccountId, delayMs),
  };
}
