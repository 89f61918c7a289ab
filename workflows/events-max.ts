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

/** What decides how long the histories of a central campaign and its slices may be. */
export interface CentralHistoryFacts {
  /** Accounts that it is sent for. */
  readonly accounts: number;
  readonly slices: number;
  /** The launch is one of them. */
  readonly actions: number;
  readonly daysAsleep: number;
  /** Minutes in which parts have changed their states. */
  readonly minutesOfNews: number;
}

/**
 * How many events all histories of a central campaign and its slices together hold at most; its parts are campaigns of
 * their own. A start is two events, and three more where it wakes its slice by itself. A slice looks once for each
 * tenth of its parts that has been handed over or is done, at seven events; until it does it may be told every five seconds.
 * The central campaign is told once a minute then, at six events.
 */
export function centralEventsMax(facts: CentralHistoryFacts): number {
  return (
    60 +
    5 * facts.accounts +
    220 * facts.slices +
    (6 + 12 * facts.slices) * facts.minutesOfNews +
    15 * facts.daysAsleep * (facts.slices + 1) +
    (20 + 12 * facts.slices) * facts.actions
  );
}
