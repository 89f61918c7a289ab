import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** One accepted text: the ground truth that tests compare with. */
export interface LedgerEntry {
  readonly uuid: string;
  readonly src: string;
  readonly dst: string;
  readonly sha256: string;
  /** When it was accepted, epoch milliseconds. */
  readonly time: number;
  final: string | null;
  errorCode: string | null;
  /** Kept until its callbacks have been delivered. */
  readonly callbackUrl: string | null;
  readonly units: number;
  readonly costMicroUsd: number;
  readonly kind: 'sms' | 'mms';
}

/** Everything that was ever accepted, in order. */
export interface Ledger {
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly accept: (entry: LedgerEntry) => void;
  readonly finish: (uuid: string, final: string, errorCode: string) => void;
  readonly clear: () => void;
}

/** A ledger, in a file too if one is named: then it outlives the process. */
export function createLedger(file: string | undefined): Ledger {
  const entries = new Map<string, LedgerEntry>();
  if (file !== undefined && existsSync(file)) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line !== '') load(entries, line);
    }
  }
  // Written before the request is answered, so that a killed sandbox never forgets what it had accepted.
  const append = (value: unknown): void => {
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(value)}\n`);
  };
  return {
    entries,
    accept: (entry) => {
      entries.set(entry.uuid, entry);
      append(entry);
    },
    finish: (uuid, final, errorCode) => {
      const entry = entries.get(uuid);
      if (entry === undefined || entry.final !== null) return;
      entry.final = final;
      entry.errorCode = errorCode;
      append({ uuid, final, errorCode });
    },
    clear: () => entries.clear(),
  };
}

function load(entries: Map<string, LedgerEntry>, line: string): void {
  let value: LedgerEntry;
  try {
    // The file is this module's own; only its last line can be torn.
    value = JSON.parse(line) as LedgerEntry;
  } catch {
    return;
  }
  const known = entries.get(value.uuid);
  if (known === undefined) entries.set(value.uuid, value);
  else {
    known.final = value.final;
    known.errorCode = value.errorCode;
  }
}

/** What stands for a text in the ledger. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A ledger line as others read it. */
export function ledgerLine(entry: LedgerEntry): string {
  const { src, dst, sha256, time, uuid, final, errorCode } = entry;
  return JSON.stringify({ src, dst, sha256, time, uuid, final, error_code: errorCode });
}
