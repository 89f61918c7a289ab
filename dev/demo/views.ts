/** A reason and how many it concerns. */
interface ReasonCount {
  readonly reason: string;
  readonly count: number;
}

/** A report as the API shows it. */
export interface ReportView {
  readonly recipients: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly undelivered: readonly ReasonCount[];
  readonly failed: readonly ReasonCount[];
  readonly awaitingReport: number;
  readonly rejected: readonly ReasonCount[];
  readonly unknown: number;
  readonly skipped: readonly ReasonCount[];
  readonly expired: number;
  readonly deferred: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly segments: number;
  readonly cost: { readonly amountMicro: number; readonly currency: string };
}

/** What the demo reads of a campaign. */
export interface CampaignView {
  readonly status: string;
  readonly next: { readonly what: string; readonly at: string | null; readonly why: string };
  readonly report: ReportView;
  readonly messages: readonly {
    readonly position: number;
    readonly status: string;
    readonly text: string;
    readonly mediaIds: readonly string[];
    readonly report: ReportView;
  }[];
}

/** What the demo reads of an import. */
export interface ImportView {
  readonly status: string;
  readonly error: unknown;
  readonly rows: {
    readonly read: number;
    readonly imported: number;
    readonly merged: number;
    readonly refused: number;
  };
}
