/** The watches for last reports that a worker has under way. */
export interface ReportWatches {
  readonly count: () => number;
  /** A further one would take a slot that lanes need. */
  readonly areEnough: () => boolean;
  /** Counts one more until what it returns is called. */
  readonly begin: () => () => void;
}

/** A watch takes one of the slots that lanes need, so thousands of campaigns that end at once must not all have one. */
const WATCHES_MAX = 100;

export function createReportWatches(): ReportWatches {
  let watches = 0;
  return {
    count: () => watches,
    areEnough: () => watches >= WATCHES_MAX,
    begin: () => {
      watches += 1;
      return () => {
        watches -= 1;
      };
    },
  };
}
