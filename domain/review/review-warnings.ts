import type { Interruption, MessageForecast } from '../forecast.ts';
import { toOffsetString } from '../zoned-time.ts';

/** What its launcher should know; none of it prevents a launch. */
export interface ReviewWarning {
  readonly code: string;
  readonly message: string;
  /** The message that it is about, null for the whole campaign. */
  readonly messageId: string | null;
  readonly subject: string | null;
}

/** Something that does not fit in a message's forecast: what, in words, and what mends it. */
export interface ForecastMisfit {
  readonly code: 'forecast_expires' | 'forecast_rolls_over';
  readonly reason: string;
  readonly remedy: string;
}

/** What does not fit in a forecast: who expires, and who rolls over to another day. */
export function forecastMisfits({ expires, rollsOver }: MessageForecast, timeZone: string): ForecastMisfit[] {
  const misfits: ForecastMisfit[] = [];
  if (expires !== null) {
    misfits.push({
      code: 'forecast_expires',
      reason: `${peopleIn(expires.count)} will not be texted before the message expires at ${toOffsetString(expires.at, timeZone)}.`,
      remedy: "Raise the sender's pace, start earlier or let it expire later.",
    });
  }
  if (rollsOver !== null) {
    misfits.push({
      code: 'forecast_rolls_over',
      ...wordsOfRollover(rollsOver, timeZone),
    });
  }
  return misfits;
}

function wordsOfRollover(
  { why, count, closesAt, opensAt }: Interruption,
  timeZone: string,
): Pick<ForecastMisfit, 'reason' | 'remedy'> {
  const [from, on] = [toOffsetString(closesAt, timeZone), toOffsetString(opensAt, timeZone)];
  return why === 'quiet_hours'
    ? {
        reason: `${peopleIn(count)} will be texted after the quiet hours that begin at ${from}, from ${on} on.`,
        remedy: "Raise the sender's pace or start earlier.",
      }
    : {
        reason: `${peopleIn(count)} will be texted after a daily cap is used up at ${from}, from ${on} on.`,
        remedy: 'Have the cap raised, send from several numbers or start on an earlier day.',
      };
}

/** The same as warnings. */
export function forecastWarnings(forecast: MessageForecast, timeZone: string): ReviewWarning[] {
  return forecastMisfits(forecast, timeZone).map(({ code, reason, remedy }) => ({
    code,
    message: `${reason} ${remedy}`,
    messageId: forecast.messageId,
    subject: null,
  }));
}

/** What the figures of a whole campaign warn of. `spendLeftMicroUsd` is null without a limit. */
export function campaignWarnings(facts: {
  readonly texted: number;
  readonly costMicroUsd: number;
  readonly spendLeftMicroUsd: number | null;
  /** What the campaign's budget leaves; null without one. */
  readonly budgetLeftMicroUsd: number | null;
  /** The smallest daily cap of the sender that is less than what the campaign needs; null when all goes out in a day. */
  readonly dailyCap: { readonly name: string; readonly units: number } | null;
  /** What is the matter with the sender's carrier account, in sentences. */
  readonly carrierTroubles: readonly string[];
  readonly isSenderShared: boolean;
  /** Recipients of a stopped campaign whose texts may still be on their way. */
  readonly inFlight: number;
  /** What keeps it from sending whatever is ordered, as somebody has written it. */
  readonly holdReasons: readonly string[];
}): ReviewWarning[] {
  const warning = (code: string, message: string): ReviewWarning => ({
    code,
    message,
    messageId: null,
    subject: null,
  });
  const { spendLeftMicroUsd: left } = facts;
  return [
    ...(facts.texted > 0 ? [] : [warning('nobody_texted', 'Nobody would be texted. Look at the lists.')]),
    ...(left === null || facts.costMicroUsd <= left
      ? []
      : [
          warning(
            'spend_limit',
            "It costs more than the account may still spend this month and would be suspended on the way. Raise the account's spend limit.",
          ),
        ]),
    ...(facts.budgetLeftMicroUsd === null || facts.costMicroUsd <= facts.budgetLeftMicroUsd
      ? []
      : [
          warning(
            'budget',
            "It costs more than is left of its budget and would be suspended on the way. Raise the campaign's budget.",
          ),
        ]),
    ...(facts.dailyCap === null
      ? []
      : [
          warning(
            'daily_cap',
            `The quota "${facts.dailyCap.name}" lets ${facts.dailyCap.units} units a day through, so a part goes out on later days, unless it expires before.`,
          ),
        ]),
    ...facts.carrierTroubles.map((trouble) => warning('carrier_trouble', trouble)),
    ...facts.holdReasons.map((reason) =>
      warning('held', `A hold keeps it from sending until that is lifted: ${reason}`),
    ),
    ...(facts.inFlight === 0
      ? []
      : [
          warning(
            'in_flight',
            `${peopleIn(facts.inFlight)} may still be on the way since the stop and are not counted yet. Review again in a moment.`,
          ),
        ]),
    ...(facts.isSenderShared
      ? [
          warning(
            'sender_shared',
            'Another campaign of this sender is under way and shares its pace, so it takes longer than forecast.',
          ),
        ]
      : []),
  ];
}

function peopleIn(count: number): string {
  return count === 1 ? '1 recipient' : `${count} recipients`;
}
