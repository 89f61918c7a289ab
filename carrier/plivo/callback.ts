/** Statuses that the carrier reports. */
export const REPORTED_STATUSES = [
  'queued',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'rejected',
] as const;
export type ReportedStatus = (typeof REPORTED_STATUSES)[number];

/** A status callback, read and checked. */
export interface ReportedState {
  readonly uuid: string;
  readonly from: string;
  /** E.164. */
  readonly to: string;
  readonly status: ReportedStatus;
  readonly errorCode: string | null;
  readonly units: number | null;
  readonly billedMicroUsd: number | null;
  readonly sequence: number | null;
}

/** A text that somebody sent, read and checked. */
export interface InboundText {
  readonly uuid: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

type Malformed = { readonly kind: 'malformed'; readonly field: string };
type Form = Readonly<Record<string, string>>;

const UUID = /^[A-Za-z0-9-]{8,64}$/;
const NUMBER = /^\+?[0-9]{3,15}$/;
/** A number or a sender name, which may hold any of these signs. */
const ADDRESS = /^[A-Za-z0-9 ._&+-]{1,21}$/;
/** A plain decimal, or with an exponent as some writers put small amounts. */
const DECIMAL = /^(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i;
const ERROR_CODE = /^[0-9]{1,5}$/;
const UNITS_MAX = 1_000;
const AMOUNT_USD_MAX = 1_000;
const TEXT_LENGTH_MAX = 5_000;
const SHORT_CODE_LENGTH_MAX = 6;

/** Reads the form of a status callback. */
export function parseStatusCallback(
  form: Form,
): { readonly kind: 'report'; readonly report: ReportedState } | Malformed {
  const uuid = form['MessageUUID'] ?? '';
  const to = form['To'] ?? '';
  const from = form['From'] ?? '';
  const status = REPORTED_STATUSES.find((one) => one === form['Status']);
  if (!UUID.test(uuid)) return malformed('MessageUUID');
  if (!NUMBER.test(to)) return malformed('To');
  if (!ADDRESS.test(from)) return malformed('From');
  if (status === undefined) return malformed('Status');
  const code = form['ErrorCode'] ?? '';
  if (code !== '' && !ERROR_CODE.test(code)) return malformed('ErrorCode');
  const units = numberIn(form['Units'], UNITS_MAX);
  if (units === undefined) return malformed('Units');
  const amount = numberIn(form['TotalAmount'], AMOUNT_USD_MAX);
  if (amount === undefined) return malformed('TotalAmount');
  return {
    kind: 'report',
    report: {
      uuid,
      from,
      to: toE164(to),
      status,
      errorCode: code === '' || Number(code) === 0 ? null : code,
      units: units === null ? null : Math.round(units),
      billedMicroUsd: amount === null ? null : Math.round(amount * 1_000_000),
      sequence: numberIn(form['Sequence'], Number.MAX_SAFE_INTEGER) ?? null,
    },
  };
}

/** Reads the form of an inbound text. */
export function parseInboundMessage(
  form: Form,
): { readonly kind: 'inbound'; readonly message: InboundText } | Malformed {
  const uuid = form['MessageUUID'] ?? '';
  const from = form['From'] ?? '';
  const to = form['To'] ?? '';
  const text = (form['Text'] ?? '').replaceAll('\u0000', '');
  if (!UUID.test(uuid)) return malformed('MessageUUID');
  if (!NUMBER.test(from)) return malformed('From');
  if (!NUMBER.test(to)) return malformed('To');
  if (text.length > TEXT_LENGTH_MAX) return malformed('Text');
  return { kind: 'inbound', message: { uuid, from: toE164(from), to: toE164(to), text } };
}

function malformed(field: string): Malformed {
  return { kind: 'malformed', field };
}

/** Null when absent, undefined when it is no number in range. */
function numberIn(text: string | undefined, max: number): number | null | undefined {
  if (text === undefined || text === '') return null;
  const number = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return number <= max ? number : undefined;
}

/** Plivo leaves the plus out. Short codes have none. */
function toE164(number: string): string {
  return number.startsWith('+') || number.length <= SHORT_CODE_LENGTH_MAX ? number : `+${number}`;
}
