import type { LaneDeps, LaneRun } from '../../domain/dispatch/lane.ts';
import type { Mutant } from './mutant.ts';

/** Changes what a lane reaches the world through. */
function inLane(name: string, harm: string, change: (deps: LaneDeps) => Partial<LaneDeps>): Mutant {
  return {
    name,
    harm,
    mutate: (protocol) => ({
      ...protocol,
      runLane: (deps, run) => protocol.runLane({ ...deps, ...change(deps) }, run),
    }),
  };
}

/** Changes how a run of a lane is bounded. */
function inRun(name: string, harm: string, change: (run: LaneRun) => Partial<LaneRun>): Mutant {
  return {
    name,
    harm,
    mutate: (protocol) => ({
      ...protocol,
      runLane: (deps, run) => protocol.runLane(deps, { ...run, ...change(run) }),
    }),
  };
}

/** Breaks what the lane does between its leases and the carrier. */
export const LANE_MUTANTS: readonly Mutant[] = [
  inRun('read the clock at the start of a lane only', 'Texts leave in quiet hours.', (run) => {
    const at = run.campaignNow();
    return { campaignNow: () => at };
  }),
  inLane('post without a last look', 'A worker that has heard of a hold texts on.', () => ({
    permission: () => 'open',
  })),
  inLane('post again what nobody knows of', 'A retry after a reset texts people twice.', (deps) => ({
    post: async (lease, request, people) => {
      const answer = await deps.post(lease, request, people);
      return answer.kind === 'unknown' ? deps.post(lease, request, people) : answer;
    },
  })),
  inLane('claim pace after posting', 'The carrier gets more requests than its limit allows.', (deps) => ({
    store: {
      ...deps.store,
      openLeases: async (lane, fence, at, slots) => {
        const answer = await deps.store.openLeases(lane, fence, at, slots);
        if (answer.kind !== 'leased') return answer;
        const unpaced = { segmentIntervalMs: 0, requestIntervalMs: 0, startDelayMs: 0 };
        return { kind: 'leased', leases: answer.leases.map((lease) => ({ ...lease, ...unpaced })) };
      },
    },
  })),
  inLane('map a bulk by position', "People are bound to each other's texts.", (deps) => {
    const uuids = new Map<string, readonly string[]>();
    return {
      post: async (lease, request, people) => {
        const answer = await deps.post(lease, request, people);
        if (answer.kind === 'accepted' && people.length > 1)
          uuids.set(`${lease.id}/${request}`, answer.uuids);
        return answer;
      },
      store: {
        ...deps.store,
        record: (lease, results, retryAt) =>
          deps.store.record(
            lease,
            results.map((one, index) => {
              const known = uuids.get(`${lease.id}/${one.request}`);
              return known === undefined ? one : { ...one, carrierUuid: known[index] ?? null };
            }),
            retryAt,
          ),
      },
    };
  }),
  inLane('send one request for each of a bulk and the bulk itself', 'Everybody gets two texts.', (deps) => ({
    post: async (lease, request, people) => {
      const [first] = people;
      if (people.length > 1 && first !== undefined) await deps.post(lease, request, [first]);
      return deps.post(lease, request, people);
    },
  })),
  inLane(
    'forget what an answer said',
    'Accepted people are left open, and nobody was disrupted.',
    (deps) => ({
      store: {
        ...deps.store,
        record: (lease, results, retryAt) => deps.store.record(lease, results.slice(1), retryAt),
      },
    }),
  ),
];
