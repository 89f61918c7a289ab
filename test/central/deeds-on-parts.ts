import { lockAccount } from '../../db/accounts.ts';
import { orderAction } from '../../db/campaign-orders.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { endWakes, wakesOf } from '../../db/central/apply-central-actions.ts';
import { endParts, type EndOfParts, lockParts } from '../../db/central/end-parts.ts';
import type { MadePart } from '../../db/central/make-parts.ts';
import { noteStarted } from '../../db/central/note-runs.ts';
import { lockCentralOf } from '../../db/central/overrule-part.ts';
import { readSlice } from '../../db/central/read-slice.ts';
import { retryPart } from '../../db/central/retry-part.ts';
import { type Db, type Trx, withAccount } from '../../db/database.ts';
import { disableAccount } from '../../db/disable-account.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { noteMissingRuns } from '../../db/repair.ts';
import { lockParents, setParent } from '../../db/sub-accounts.ts';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import type { SeededAccount } from '../support/seed.ts';
import type { SeededParent } from '../support/seed-central.ts';
import { type DrivenCentral, restartOf, stepPart } from './drive-central.ts';

/** Something that is done in transactions of its own. Resolves with what became of it; what is not allowed by then is refused. */
export type Deed = () => Promise<string>;

/** Central campaigns of one parent, of which one has its parts. */
export interface Contended {
  readonly db: Db;
  readonly seeded: SeededParent;
  readonly centrals: readonly DrivenCentral[];
  /** Campaign time, at which everything happens. */
  readonly at: number;
  readonly restartAt: { readonly local: string; readonly zone: string };
}

/** An operator lets the part pass, as its route does. */
export function overruleOf({ at, db }: Contended, part: MadePart, { actor }: SeededAccount): Deed {
  const { campaignId, subAccountId } = part;
  return () =>
    withAccount(db, subAccountId, async (trx) => {
      await lockCentralOf(trx, subAccountId, campaignId);
      return orderOf(trx, campaignId, { name: 'overrule', actor, at });
    });
}

/** The parent has the account tried again, as its route does. */
export function retryOf({ at, db, seeded }: Contended, central: DrivenCentral, subAccountId: string): Deed {
  const { accountId, actor } = seeded.parent;
  const retry = { accountId, campaignId: central.campaignId, subAccountId, actor, at, overdue: [] };
  return async () => (await withAccount(db, accountId, (trx) => retryPart(trx, retry))).kind;
}

/** The sub-account orders it of its own part. */
export function ownOrderOf(
  { at, db }: Contended,
  { campaignId, subAccountId }: MadePart,
  { actor }: SeededAccount,
  name: CampaignActionName,
): Deed {
  return () => withAccount(db, subAccountId, (trx) => orderOf(trx, campaignId, { name, actor, at }));
}

/** A step of the part's run. */
export function stepOf({ at, db }: Contended, part: MadePart): Deed {
  return async () => {
    await stepPart(db, part, at);
    return 'stepped';
  };
}

/** The parent orders it of the whole. */
export function parentsOrderOf(
  { at, restartAt, seeded }: Contended,
  { campaignId, inParent, messageIds }: DrivenCentral,
  name: CampaignActionName,
): Deed {
  const { args, schedules } = restartOf(messageIds[0] ?? '', restartAt);
  const { actor } = seeded.parent;
  const order = name === 'restart' || name === 'reschedule' ? { name, args, actor, at } : { name, actor, at };
  return () => inParent((trx) => orderOf(trx, campaignId, order, schedules));
}

async function orderOf(
  trx: Trx,
  campaignId: string,
  order: Pick<Parameters<typeof orderAction>[1], 'name' | 'actor' | 'at'> & {
    readonly args?: Record<string, unknown>;
  },
  schedules?: Parameters<typeof orderAction>[2],
): Promise<string> {
  const campaign = await lockCampaign(trx, campaignId);
  if (campaign === null) return 'gone';
  const { kind } = await orderAction(trx, { args: {}, ...order, campaign }, schedules);
  return `${order.name} ${kind}`;
}

/** A step of the run of the whole, with what it hands out. */
export function centralStepOf({ at, seeded }: Contended, central: DrivenCentral): Deed {
  const { campaignId, inParent } = central;
  const { accountId } = seeded.parent;
  return async () => {
    const plan = await central.step(at);
    if (plan.kind === 'prepare') {
      await inParent((trx) => prepareCampaign(trx, { accountId, campaignId, at }));
    } else if (plan.kind === 'wake') {
      await inParent(async (trx) => endWakes(trx, await wakesOf(trx, campaignId)));
    } else if (plan.kind === 'fan_out') {
      for (const order of plan.orders) await central.carryOut(order, at);
    }
    return plan.kind;
  };
}

/** What the run of a slice does: it makes parts, notes that they run, and looks at them; and repair notes those that do not. */
export function sliceOf({ db, seeded }: Contended, { campaignId, inParent, makeParts }: DrivenCentral): Deed {
  const slice = { accountId: seeded.parent.accountId, campaignId, slice: 0 };
  return async () => {
    const parts = await makeParts();
    await inParent((trx) => noteStarted(trx, { ...slice, numbers: parts.map(({ number }) => number) }));
    await inParent((trx) => readSlice(trx, slice));
    await noteMissingRuns(
      db,
      parts.map((part) => part.campaignId),
    );
    return 'looked';
  };
}

/** The account leaves its parent or is disabled, as their routes do it. */
export function endOf({ at, db }: Contended, { accountId, actor }: SeededAccount, cause: EndOfParts): Deed {
  return () =>
    withAccount(db, accountId, async (trx) => {
      if (cause === 'account_left') await lockParents(trx);
      const account = await lockAccount(trx, accountId);
      if (account === null) return 'gone';
      const parts = await lockParts(trx);
      if (cause === 'account_disabled') {
        await disableAccount(trx, 'It is a test.', { account, actor, byOperator: false, at });
      }
      await endParts(trx, parts, { actor, at }, cause);
      if (cause === 'account_left') await setParent(trx, accountId, null);
      return cause;
    });
}
