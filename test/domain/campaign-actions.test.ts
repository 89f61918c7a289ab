import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ActionFacts,
  allowancesOf,
  CAMPAIGN_ACTIONS,
  type CampaignActionName,
  detailsAreEditable,
  refusalOf,
} from '../../domain/campaign-actions.ts';
import {
  CAMPAIGN_STATUSES,
  type CampaignStatus,
  HOLD_KINDS,
  isLive,
  RESTING_STATUSES,
} from '../../domain/campaign-status.ts';

/** What each status allows of a complete campaign that nobody was ever leased of and whose messages are unsent. */
const ALLOWED: Record<CampaignStatus, readonly CampaignActionName[]> = {
  draft: ['launch', 'duplicate', 'archive', 'delete'],
  processing: ['pause', 'stop', 'abort', 'reschedule', 'suspend', 'duplicate', 'delete'],
  ready: ['start', 'withdraw', 'pause', 'stop', 'abort', 'reschedule', 'suspend', 'duplicate', 'delete'],
  scheduled: ['withdraw', 'pause', 'stop', 'abort', 'reschedule', 'suspend', 'duplicate', 'delete'],
  started: ['pause', 'stop', 'abort', 'reschedule', 'suspend', 'duplicate', 'delete'],
  sending: ['pause', 'stop', 'abort', 'reschedule', 'suspend', 'duplicate', 'delete'],
  paused: ['resume', 'stop', 'abort', 'reschedule', 'suspend', 'duplicate', 'delete'],
  suspended: ['resume', 'stop', 'abort', 'reschedule', 'duplicate', 'delete'],
  stopped: ['restart', 'abort', 'duplicate', 'archive', 'delete'],
  aborted: ['duplicate', 'archive', 'delete'],
  rejected: ['overrule', 'duplicate', 'archive', 'delete'],
  finished: ['retry_failed', 'resend_unknown', 'duplicate', 'archive', 'delete'],
};

const PLAIN = {
  role: 'standard',
  isPart: false,
  isArchived: false,
  everLeased: false,
  hasUnsentMessage: true,
  missing: [],
  repeatable: { failed: 1, unknown: 1 },
  holds: ['pause'],
} as const;

const allowed = (facts: ActionFacts): CampaignActionName[] =>
  allowancesOf(facts)
    .filter((one) => one.allowed)
    .map((one) => one.name);

const anyFacts = fc.record({
  role: fc.constantFrom('standard' as const, 'central' as const, 'part' as const),
  isPart: fc.boolean(),
  status: fc.constantFrom(...CAMPAIGN_STATUSES),
  isArchived: fc.boolean(),
  everLeased: fc.boolean(),
  hasUnsentMessage: fc.boolean(),
  missing: fc.array(fc.constantFrom('name', 'listIds'), { maxLength: 2 }),
  repeatable: fc.record({ failed: fc.nat(2), unknown: fc.nat(2) }),
  holds: fc.array(fc.constantFrom(...HOLD_KINDS), { maxLength: 3 }),
});

describe('a campaign', () => {
  it.each(CAMPAIGN_STATUSES)('that is %s allows what the table of the design says', (status) => {
    expect(allowed({ ...PLAIN, status })).toEqual(ALLOWED[status]);
  });

  it('that only holds of their own keep can be paused beside them, and is not resumed past them', () => {
    const held = { ...PLAIN, status: 'paused', holds: ['hold', 'hold'] } as const;
    expect(refusalOf('pause', held)).toBeNull();
    expect(refusalOf('resume', held)).toContain('/v1/holds/');
    expect(refusalOf('resume', { ...held, holds: ['hold', 'pause'] })).toBeNull();
    expect(refusalOf('pause', { ...held, holds: ['hold', 'pause'] })).not.toBeNull();
    expect(refusalOf('resume', { ...held, status: 'suspended', holds: ['hold', 'suspend'] })).toBeNull();
  });

  it('is not withdrawn once somebody may have been texted', () => {
    for (const status of ['ready', 'scheduled'] as const) {
      expect(refusalOf('withdraw', { ...PLAIN, status, everLeased: true })).toContain('stop it instead');
    }
  });

  it('is not rescheduled when every message has begun', () => {
    expect(refusalOf('reschedule', { ...PLAIN, status: 'sending', hasUnsentMessage: false })).not.toBeNull();
  });

  it('that is finished has rounds only of those whom there are', () => {
    const nobody = { ...PLAIN, status: 'finished', repeatable: { failed: 0, unknown: 2 } } as const;
    expect(refusalOf('retry_failed', nobody)).toBe('Nobody of it is failed.');
    expect(refusalOf('resend_unknown', nobody)).toBeNull();
  });

  it('that is incomplete names what it lacks instead of being launched', () => {
    const reason = refusalOf('launch', { ...PLAIN, status: 'draft', missing: ['name', 'listIds'] });
    expect(reason).toContain('name, listIds');
  });

  it('has its details locked from launch on, and unlocked by a rejection', () => {
    expect(CAMPAIGN_STATUSES.filter(detailsAreEditable)).toEqual(['draft', 'rejected']);
  });

  it('says why not, to everything that it does not allow', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const allowances = allowancesOf(facts);
        expect(allowances.map((one) => one.name)).toEqual(CAMPAIGN_ACTIONS);
        for (const one of allowances) {
          expect(one.allowed).toBe(one.reason === null);
          expect(one.reason).toBe(refusalOf(one.name, facts));
          expect(one.reason ?? 'It is allowed now.').toMatch(/^[A-Z].{8,}[.]$/u);
        }
      }),
    );
  });

  it('can always be deleted and duplicated but as a part, and never set going from the archive', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const names = allowed(facts);
        const always = facts.role === 'part' ? [] : ['duplicate', 'delete'];
        expect(names).toEqual(expect.arrayContaining(always));
        const refused = facts.isArchived
          ? ['launch', 'restart', 'overrule', 'retry_failed', 'resend_unknown', 'archive']
          : ['unarchive'];
        expect(names.filter((one) => refused.includes(one))).toEqual([]);
      }),
    );
  });

  it.each([
    ['processing', ['pause', 'abort']],
    ['scheduled', ['pause', 'abort']],
    ['sending', ['pause', 'abort']],
    ['paused', ['resume', 'abort']],
    ['suspended', ['resume', 'abort']],
    ['stopped', ['abort', 'archive', 'delete']],
    ['rejected', ['abort', 'overrule', 'archive', 'delete']],
    ['finished', ['retry_failed', 'resend_unknown', 'archive', 'delete']],
  ] as const)(
    'that is a part of a central one and %s allows its own people no more than this',
    (status, names) => {
      expect(allowed({ ...PLAIN, role: 'part', isPart: true, status })).toEqual(names);
    },
  );

  it('that is a part and rejected can be stopped and aborted by the parent, since it may be tried again', () => {
    const byParent = allowed({ ...PLAIN, isPart: true, status: 'rejected' });
    expect(byParent).toEqual(['stop', 'abort', ...ALLOWED.rejected]);
  });

  it('that is sent by other accounts has no rounds, no start of its own and no way back to a draft', () => {
    for (const status of CAMPAIGN_STATUSES) {
      const refused = ['start', 'withdraw', 'retry_failed', 'resend_unknown'];
      const names = allowed({ ...PLAIN, role: 'central', status });
      expect(names.filter((name) => refused.includes(name))).toEqual([]);
      expect(names).toEqual(allowed({ ...PLAIN, status }).filter((name) => !refused.includes(name)));
    }
  });

  it('is archived only when it rests', () => {
    for (const status of CAMPAIGN_STATUSES) {
      expect(allowed({ ...PLAIN, status }).includes('archive')).toBe(!isLive(status));
    }
  });

  it('either rests or is run by a workflow', () => {
    for (const status of CAMPAIGN_STATUSES) {
      expect(isLive(status)).toBe(!RESTING_STATUSES.some((resting) => resting === status));
    }
  });
});
