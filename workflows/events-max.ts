/** What decides how long a campaign's histories may be. */
export interface HistoryFacts {
  readonly messages: number;
  readonly windowOpenings: number;
  readonly daysAsleep: number;
  /** The launch is one of them. */
  readonly actions: number;
  readonly recipients: number;
  /** Ten minutes of sending of one lane. */
  readonly laneTenMinutes: number;
}

/** How many events all histories of a campaign together hold at most. */
export function eventsMax(facts: HistoryFacts): number {
  return (
    60 +
    40 * facts.messages +
    10 * facts.windowOpenings +
    15 * facts.daysAsleep +
    20 * facts.actions +
    Math.max(facts.recipients / 5_000, 10 * facts.laneTenMinutes)
  );
}
