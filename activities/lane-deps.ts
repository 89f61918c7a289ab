import { setImmediate } from 'node:timers/promises';
import { callbackUrlsOf } from '../db/callback-url.ts';
import { createPostgresDispatchStore } from '../db/dispatch/postgres-store.ts';
import type { Lease } from '../domain/dispatch/dispatch-store.ts';
import type { LaneDeps } from '../domain/dispatch/lane.ts';
import { createSlots, type Slots, UNLIMITED_AT_ONCE_MAX } from '../domain/dispatch/slots.ts';
import { watchCarriers } from './carrier-watch.ts';
import type { ActivityDeps } from './index.ts';
import { machineClock } from './machine-clock.ts';

/** What a worker wires its lanes with: the ledger in PostgreSQL, the carriers' clients and the machine's clock. */
export type LaneWiring = Pick<
  ActivityDeps,
  'db' | 'publicUrl' | 'signingKey' | 'carriers' | 'watch' | 'crash' | 'atOnce'
>;

/** Where the carrier fetches a picture, by its token. */
export function mediaUrlOf({ publicUrl }: Pick<ActivityDeps, 'publicUrl'>): (token: string) => string {
  return (token) => `${publicUrl}/media/${token}`;
}

/** Everything that the lanes of one worker reach the world through. */
export function createLaneDeps(wiring: LaneWiring, slots: Slots): LaneDeps {
  const { db, crash, publicUrl, signingKey } = wiring;
  const store = createPostgresDispatchStore({ db, crash, mediaUrl: mediaUrlOf(wiring) });
  const urls = new WeakMap<Lease, (request: number) => string>();
  const urlsOf = (lease: Lease): ((request: number) => string) => {
    const known = urls.get(lease);
    if (known !== undefined) return known;
    const { accountId, month, id } = lease;
    const made = callbackUrlsOf(publicUrl, signingKey, accountId, { month, leaseId: id });
    urls.set(lease, made);
    return made;
  };
  const watched = watchCarriers(store, { db, now: machineClock.now });
  return {
    store: {
      ...watched,
      openLeases: async (...asked) => {
        const answer = await watched.openLeases(...asked);
        const [lease] = answer.kind === 'leased' ? answer.leases : [];
        if (lease !== undefined) await wiring.carriers.prepare(lease.carrierAccountId);
        return answer;
      },
    },
    slots,
    unlimitedSlots: createSlots(UNLIMITED_AT_ONCE_MAX),
    atOnce: wiring.atOnce,
    machine: machineClock,
    turn: setImmediate,
    crash,
    permission: wiring.watch.permission,
    post: (lease, request, people) =>
      wiring.carriers.send(lease.carrierAccountId, {
        from: lease.from,
        to: people.map((person) => person.number),
        text: people[0]?.text ?? '',
        mediaUrls: lease.mediaUrls,
        callbackUrl: urlsOf(lease)(request),
      }),
  };
}
