import { type CampaignKind, type CampaignStatus, isLive, RESTING_STATUSES } from './campaign-status.ts';

/** Everything that can be done to a campaign besides reading and editing it. */
export const CAMPAIGN_ACTIONS = [
  'launch',
  'start',
  'withdraw',
  'pause',
  'resume',
  'stop',
  'restart',
  'abort',
  'reschedule',
  'suspend',
  'overrule',
  'retry_failed',
  'resend_unknown',
  'duplicate',
  'archive',
  'unarchive',
  'delete',
] as const;
export type CampaignActionName = (typeof CAMPAIGN_ACTIONS)[number];

/** Actions that close the campaign's gate in the transaction that orders them. */
export const STOPPING_ACTIONS: readonly CampaignActionName[] = [
  'pause',
  'stop',
  'abort',
  'suspend',
  'delete',
];

/** Actions that Temporal's UI and CLI can send as signals of the same name. */
export const SIGNAL_ACTIONS = [
  'pause',
  'resume',
  'stop',
  'abort',
  'suspend',
  'reschedule',
  'restart',
] as const;
export type SignalActionName = (typeof SIGNAL_ACTIONS)[number];

/**
 * `standard`: an account's own campaign. `central`: a parent's, whose texts its sub-accounts send. `part`: a sub-account's
 * share of that, of which its own people may do little; what the parent orders of it counts as a standard one's.
 */
export type CampaignRole = 'standard' | 'central' | 'part';

/** The role of a campaign by its kind and by whose part it is. */
export function roleOf(campaign: {
  readonly kind: CampaignKind;
  readonly centralId: string | null;
}): CampaignRole {
  if (campaign.centralId !== null) return 'part';
  return campaign.kind === 'central' ? 'central' : 'standard';
}

/** What the rules need to know of a campaign. */
export interface ActionFacts {
  readonly role: CampaignRole;
  /** A part of a central campaign, also where its parent orders, who has the role of an owner. */
  readonly isPart: boolean;
  readonly status: CampaignStatus;
  readonly isArchived: boolean;
  /** A lease was made at any time, so somebody may have been texted. */
  readonly everLeased: boolean;
  /** Some message has not begun and still has a schedule. */
  readonly hasUnsentMessage: boolean;
  /** Details that a launch still needs. */
  readonly missing: readonly string[];
  /** Of a finished campaign: recipients whom a round would try again, by what they are. */
  readonly repeatable: { readonly failed: number; readonly unknown: number };
  /** Kinds of the holds on the campaign itself. */
  readonly holds: readonly string[];
}

/** One action and whether the campaign allows it now. */
export interface ActionAllowance {
  readonly name: CampaignActionName;
  readonly allowed: boolean;
  /** Null when allowed, else why not, in words for people. */
  readonly reason: string | null;
}

type Rule = (facts: ActionFacts) => string | null;

const PAUSABLE: readonly CampaignStatus[] = ['processing', 'ready', 'scheduled', 'started', 'sending'];
const UNFINISHED: readonly CampaignStatus[] = [...PAUSABLE, 'paused', 'suspended'];

const only =
  (statuses: readonly CampaignStatus[], sentence: string): Rule =>
  (facts) =>
    statuses.includes(facts.status) ? null : `${sentence} This one is ${facts.status}.`;

/** A rejected part may be tried again, so it can be ended as what is still to be sent. */
const orRejectedPart =
  (rule: Rule): Rule =>
  (facts) =>
    facts.isPart && facts.status === 'rejected' ? null : rule(facts);

function refusalOfRound(facts: ActionFacts, people: number, state: string): string | null {
  if (facts.status !== 'finished') {
    return `Only a finished campaign has rounds. This one is ${facts.status}.`;
  }
  return people > 0 ? null : `Nobody of it is ${state}.`;
}

const RULES: Record<CampaignActionName, Rule> = {
  launch: (facts) => {
    if (facts.status !== 'draft') return `Only a draft can be launched. This one is ${facts.status}.`;
    return facts.missing.length === 0 ? null : `The draft is incomplete: ${facts.missing.join(', ')}.`;
  },
  start: only(['ready'], 'Only a campaign that was prepared for later can be started.'),
  withdraw: (facts) => {
    if (facts.status !== 'ready' && facts.status !== 'scheduled') {
      return `Only a campaign that waits for its start can be withdrawn. This one is ${facts.status}.`;
    }
    return facts.everLeased ? 'Somebody may have been texted already; stop it instead.' : null;
  },
  pause: (facts) => {
    // A campaign that only holds of others keep can be paused beside them, so that it stays when they are lifted.
    const isHeldByOthers = facts.status === 'paused' && !facts.holds.includes('pause');
    if (isHeldByOthers || PAUSABLE.includes(facts.status)) return null;
    return `Only a launched campaign that is not paused can be paused. This one is ${facts.status}.`;
  },
  resume: (facts) => {
    if (facts.status !== 'paused' && facts.status !== 'suspended') {
      return `Only a paused or suspended campaign can be resumed. This one is ${facts.status}.`;
    }
    return facts.holds.some((kind) => kind === 'pause' || kind === 'suspend')
      ? null
      : 'Only holds of their own keep it, and a resume lifts none of them; DELETE each at /v1/holds/{id}.';
  },
  stop: orRejectedPart(only(UNFINISHED, 'Only a launched, unfinished campaign can be stopped.')),
  restart: only(['stopped'], 'Only a stopped campaign can be restarted.'),
  abort: orRejectedPart(
    only([...UNFINISHED, 'stopped'], 'Only a launched, unfinished campaign can be aborted.'),
  ),
  reschedule: (facts) => {
    if (!isLive(facts.status)) {
      return `Only a launched, unfinished campaign can be rescheduled. This one is ${facts.status}.`;
    }
    return facts.hasUnsentMessage ? null : 'Every message has begun already.';
  },
  suspend: only([...PAUSABLE, 'paused'], 'Only a launched, unfinished campaign can be suspended.'),
  overrule: only(['rejected'], 'Only a rejected campaign can be overruled.'),
  retry_failed: (facts) => refusalOfRound(facts, facts.repeatable.failed, 'failed'),
  resend_unknown: (facts) => refusalOfRound(facts, facts.repeatable.unknown, 'unknown'),
  duplicate: () => null,
  archive: (facts) => {
    if (facts.isArchived) return 'It is archived already.';
    return RESTING_STATUSES.some((status) => status === facts.status)
      ? null
      : `Only a resting campaign can be archived. This one is ${facts.status}.`;
  },
  unarchive: (facts) => (facts.isArchived ? null : 'It is not archived.'),
  delete: () => null,
};

/** What would set an archived campaign going: nobody looks for a live one in the archive. */
const AWAKENING: readonly CampaignActionName[] = [
  'launch',
  'restart',
  'overrule',
  'retry_failed',
  'resend_unknown',
];

/** What only makes sense for a campaign that texts by itself. */
const NOT_CENTRALLY: readonly CampaignActionName[] = ['start', 'withdraw', 'retry_failed', 'resend_unknown'];
/** What a sub-account's own people may do with its part. */
const OF_PARTS: readonly CampaignActionName[] = [
  'pause',
  'resume',
  'abort',
  'overrule',
  'retry_failed',
  'resend_unknown',
  'archive',
  'unarchive',
  'delete',
];

function refusalOfRole(name: CampaignActionName, { role, status }: ActionFacts): string | null {
  if (role === 'central' && NOT_CENTRALLY.includes(name)) {
    return 'It is sent by the sub-accounts, each of which does this with its own part.';
  }
  if (role !== 'part') return null;
  if (!OF_PARTS.includes(name))
    return 'It was sent by the parent, who alone does this. Pause or abort your part.';
  return name === 'delete' && isLive(status)
    ? 'It was sent by the parent and is under way. Abort it first.'
    : null;
}

/** Why the campaign does not allow the action now, or null when it does. */
export function refusalOf(name: CampaignActionName, facts: ActionFacts): string | null {
  const reason = refusalOfRole(name, facts) ?? RULES[name](facts);
  if (reason === null && facts.isArchived && AWAKENING.includes(name)) {
    return 'It is archived. Take it out of the archive first.';
  }
  return reason;
}

/** Every action with whether the campaign allows it now: the one place that decides. */
export function allowancesOf(facts: ActionFacts): ActionAllowance[] {
  return CAMPAIGN_ACTIONS.map((name) => {
    const reason = refusalOf(name, facts);
    return { name, allowed: reason === null, reason };
  });
}

/** What of a campaign stays editable, also while it runs. */
export const SETTINGS: ReadonlySet<string> = new Set(['budget']);

/** Details are locked from launch on; a rejected campaign is edited back into a draft. */
export function detailsAreEditable(status: CampaignStatus): boolean {
  return status === 'draft' || status === 'rejected';
}
