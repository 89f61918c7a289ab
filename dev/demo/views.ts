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

/** Plan figures of one account of a central campaign, as its parent is shown them. */
export interface PartReviewView {
  readonly accountId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly lists: number;
  readonly recipients: number;
  readonly segments: number;
  readonly cost: { readonly amountMicro: number };
  readonly messages: readonly { readonly startsAt: string | null; readonly endsAt: string | null }[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** What the demo reads of a review of a central campaign. */
export interface CentralReviewView {
  readonly token: string | null;
  readonly recipients: number;
  readonly segments: number;
  readonly cost: { readonly amountMicro: number };
  readonly refusals: readonly { readonly message: string }[];
  readonly central: {
    readonly accounts: number;
    readonly lists: number;
    readonly ready: number;
    readonly faulty: number;
    readonly items: readonly PartReviewView[];
  };
}

/** How one account's part of a central campaign stands, as its parent sees it. */
export interface CampaignAccountView {
  readonly accountId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly campaignId: string | null;
  readonly state: string;
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly canRetry: boolean;
}

/** What the demo reads of a central campaign itself. */
export interface CentralView {
  readonly status: string;
  readonly report: ReportView | null;
  readonly central: { readonly states: Readonly<Record<string, number>> };
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
