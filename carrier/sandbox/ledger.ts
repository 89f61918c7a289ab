import { createHash } from 'node:crypto';
import { type LedgerFile, openLedgerFile } from './ledger-file.ts';
import { type Fate, failedWith } from './magic-numbers.ts';
import {
  type AcceptedMessage,
  createMessageColumns,
  makeUuid,
  type StoredMessage,
} from './message-columns.ts';

/** Where a text's reports go. */
export interface CallbackTarget {
  readonly url: string;
  readonly method: 'GET' | 'POST';
}

/** A text that is being accepted. */
export type NewMessage = Omit<AcceptedMessage, 'uuid'> & { readonly callback: CallbackTarget | null };

/** Everything that was ever accepted, in order: the ground truth that tests compare with. */
export interface Ledger {
  readonly size: () => number;
  /** Durable when it returns, if there is a file. Gives each text a row and says which is the first. */
  readonly accept: (messages: readonly NewMessage[]) => number;
  /** Throws a RangeError for a row that does not exist. */
  readonly read: (row: number) => StoredMessage;
  readonly find: (uuid: string) => number | null;
  /** Single fields, for looking through many rows. */
  readonly time: (row: number) => number;
  readonly dst: (row: number) => string;
  /** Null when nobody wants reports, and once they have been made. */
  readonly callbackOf: (row: number) => CallbackTarget | null;
  readonly setSent: (row: number) => void;
  readonly setFinal: (row: number) => void;
  /** The text waited too long in its queue: its fate is another. */
  readonly expire: (row: number) => void;
  /** Its reports have been delivered or given up. */
  readonly setTold: (row: number) => void;
  /** Rows with something left to happen or to report, as loaded from the file. */
  readonly unfinished: () => Generator<number>;
  readonly clear: () => void;
  readonly close: () => void;
}

const EXPIRED_CODE = 420;

/** A line of the file: an acceptance, or what became of a row. */
type Line =
  | (AcceptedMessage & { readonly callback: CallbackTarget | null })
  | { readonly row: number; readonly is: 'sent' | 'final' | 'expired' | 'told' };

/** A ledger, in a file too if one is named: then it outlives the process. */
export function createLedger(path: string | undefined): Ledger {
  const columns = createMessageColumns();
  const callbacks = new Map<number, CallbackTarget>();

  const add = (message: AcceptedMessage, callback: CallbackTarget | null): void => {
    const row = columns.add(message);
    if (callback !== null) callbacks.set(row, callback);
  };
  const apply = (row: number, is: 'sent' | 'final' | 'expired' | 'told'): void => {
    if (is === 'expired') columns.setFate(row, failedWith(EXPIRED_CODE));
    else if (is === 'told') {
      columns.setTold(row);
      callbacks.delete(row);
    } else columns.setState(row, is);
  };
  const load = (line: Line): void => {
    if ('is' in line) apply(line.row, line.is);
    else add(line, line.callback);
  };
  // The file is this module's own, so its lines have this form.
  const file: LedgerFile | null =
    path === undefined ? null : openLedgerFile(path, (line) => load(line as Line));
  const change = (row: number, is: 'sent' | 'final' | 'expired' | 'told'): void => {
    apply(row, is);
    file?.writeSoon({ row, is });
  };

  return {
    size: columns.size,
    read: columns.read,
    find: columns.find,
    time: columns.time,
    dst: columns.dst,
    callbackOf: (row) => callbacks.get(row) ?? null,
    accept: (messages) => {
      const first = columns.size();
      const accepted = messages.map((message, index) => ({ ...message, uuid: makeUuid(first + index) }));
      // Before memory, so that a full disk refuses the request and leaves nothing behind.
      file?.write(accepted);
      for (const message of accepted) add(message, message.callback);
      return first;
    },
    setSent: (row) => change(row, 'sent'),
    setFinal: (row) => change(row, 'final'),
    expire: (row) => change(row, 'expired'),
    setTold: (row) => change(row, 'told'),
    unfinished: function* unfinished() {
      const size = columns.size();
      for (let row = 0; row < size; row += 1) if (!columns.isTold(row)) yield row;
    },
    clear: () => {
      columns.clear();
      callbacks.clear();
      file?.clear();
    },
    close: () => file?.close(),
  };
}

/** What stands for a text in the ledger. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A ledger line as others read it. */
export function ledgerLine({ src, dst, sha256, time, uuid, state, fate }: StoredMessage): string {
  const isFinal = state === 'final';
  return JSON.stringify({
    src,
    dst,
    sha256,
    time,
    uuid,
    final: isFinal ? fate.final : null,
    error_code: isFinal ? errorCodeText(fate) : null,
  });
}

/** The code as the carrier writes it: 000 is none. */
export function errorCodeText(fate: Fate): string {
  return fate.errorCode === 0 ? '000' : String(fate.errorCode);
}
