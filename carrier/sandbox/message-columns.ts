import { randomFillSync } from 'node:crypto';
import { CALLBACK_MODES, type Fate, FINALS } from './magic-numbers.ts';

/** Where a text is: the state only moves forward. `final` means that its fate has come true. */
export const STATES = ['queued', 'sent', 'final'] as const;
export type State = (typeof STATES)[number];

/** What is known of a text from its acceptance on. */
export interface AcceptedMessage {
  readonly uuid: string;
  readonly src: string;
  /** E.164. */
  readonly dst: string;
  /** Of the text, in hex. */
  readonly sha256: string;
  /** When it was accepted, epoch milliseconds. */
  readonly time: number;
  readonly kind: 'sms' | 'mms';
  readonly units: number;
  readonly costMicroUsd: number;
  readonly fate: Fate;
}

/** A text as it stands now. */
export interface StoredMessage extends AcceptedMessage {
  readonly state: State;
}

/** Texts by row, 80 bytes each outside the JavaScript heap, so that a million of them stays modest. */
export interface MessageColumns {
  readonly size: () => number;
  readonly add: (message: AcceptedMessage) => number;
  readonly read: (row: number) => StoredMessage;
  /** Single fields, for looking through many rows. */
  readonly time: (row: number) => number;
  readonly dst: (row: number) => string;
  readonly setState: (row: number, state: State) => void;
  readonly setFate: (row: number, fate: Fate) => void;
  readonly isTold: (row: number) => boolean;
  readonly setTold: (row: number) => void;
  /** The row of a text, or null if there is none with this id. */
  readonly find: (uuid: string) => number | null;
  readonly clear: () => void;
}

const ROW_BYTES = 80;
const CHUNK_ROWS = 65_536;
const UUID_BYTES = 16;
const SHA_AT = 16;
const TIME_AT = 48;
const DST_AT = 56;
const COST_AT = 64;
const SRC_AT = 68;
const CODE_AT = 70;
const UNITS_AT = 72;
const STATE_AT = 73;
const FINAL_AT = 74;
const CALLBACKS_AT = 75;
const KIND_AT = 76;
const TOLD_AT = 77;
const ROW_IN_UUID_BYTES = 6;
const ROW_IN_UUID_AT = 10;

/** An empty store. */
export function createMessageColumns(): MessageColumns {
  let chunks: Buffer[] = [];
  let size = 0;
  const sources: string[] = [];
  const sourceIndexes = new Map<string, number>();

  const at = (row: number): [Buffer, number] => {
    const chunk = chunks[Math.floor(row / CHUNK_ROWS)];
    if (chunk === undefined || row >= size) throw new RangeError(`There is no row ${row}.`);
    return [chunk, (row % CHUNK_ROWS) * ROW_BYTES];
  };
  const sourceIndex = (src: string): number => {
    const known = sourceIndexes.get(src);
    if (known !== undefined) return known;
    sourceIndexes.set(src, sources.length);
    return sources.push(src) - 1;
  };
  const setByte = (row: number, offset: number, value: number): void => {
    const [chunk, start] = at(row);
    chunk[start + offset] = value;
  };
  const setFate = (row: number, fate: Fate): void => {
    const [chunk, start] = at(row);
    chunk.writeUInt16LE(fate.errorCode, start + CODE_AT);
    chunk[start + FINAL_AT] = FINALS.indexOf(fate.final);
    chunk[start + CALLBACKS_AT] = CALLBACK_MODES.indexOf(fate.callbacks);
  };

  return {
    size: () => size,
    add: (message) => {
      const row = size;
      if (row % CHUNK_ROWS === 0) chunks.push(Buffer.alloc(CHUNK_ROWS * ROW_BYTES));
      size += 1;
      const [chunk, start] = at(row);
      chunk.write(message.uuid.replaceAll('-', ''), start, 'hex');
      chunk.write(message.sha256, start + SHA_AT, 'hex');
      chunk.writeDoubleLE(message.time, start + TIME_AT);
      // At most 15 digits (E.164), so a double holds it exactly.
      chunk.writeDoubleLE(Number(message.dst.slice(1)), start + DST_AT);
      chunk.writeUInt32LE(message.costMicroUsd, start + COST_AT);
      chunk.writeUInt16LE(sourceIndex(message.src), start + SRC_AT);
      chunk[start + UNITS_AT] = message.units;
      chunk[start + KIND_AT] = message.kind === 'mms' ? 1 : 0;
      setFate(row, message.fate);
      return row;
    },
    read: (row) => {
      const [chunk, start] = at(row);
      return {
        uuid: uuidText(chunk.subarray(start, start + UUID_BYTES)),
        src: sources[chunk.readUInt16LE(start + SRC_AT)] ?? '',
        dst: `+${chunk.readDoubleLE(start + DST_AT)}`,
        sha256: chunk.toString('hex', start + SHA_AT, start + TIME_AT),
        time: chunk.readDoubleLE(start + TIME_AT),
        kind: chunk[start + KIND_AT] === 1 ? 'mms' : 'sms',
        units: chunk[start + UNITS_AT] ?? 0,
        costMicroUsd: chunk.readUInt32LE(start + COST_AT),
        state: STATES[chunk[start + STATE_AT] ?? 0] ?? 'queued',
        fate: {
          final: FINALS[chunk[start + FINAL_AT] ?? 0] ?? 'delivered',
          errorCode: chunk.readUInt16LE(start + CODE_AT),
          callbacks: CALLBACK_MODES[chunk[start + CALLBACKS_AT] ?? 0] ?? 'normal',
        },
      };
    },
    time: (row) => {
      const [chunk, start] = at(row);
      return chunk.readDoubleLE(start + TIME_AT);
    },
    dst: (row) => {
      const [chunk, start] = at(row);
      return `+${chunk.readDoubleLE(start + DST_AT)}`;
    },
    setState: (row, state) => setByte(row, STATE_AT, STATES.indexOf(state)),
    setFate,
    isTold: (row) => {
      const [chunk, start] = at(row);
      return chunk[start + TOLD_AT] === 1;
    },
    setTold: (row) => setByte(row, TOLD_AT, 1),
    find: (uuid) => {
      const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
      if (bytes.length !== UUID_BYTES) return null;
      const row = rowIn(bytes);
      if (row >= size) return null;
      const [chunk, start] = at(row);
      return bytes.equals(chunk.subarray(start, start + UUID_BYTES)) ? row : null;
    },
    clear: () => {
      chunks = [];
      size = 0;
    },
  };
}

/**
 * A random id for the text of this row. The row is hidden in it, masked with its random part, so that a text
 * is found by its id without an index of them all; the random part makes it unlike that of any other ledger.
 */
export function makeUuid(row: number): string {
  const bytes = randomFillSync(Buffer.alloc(UUID_BYTES));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  bytes.writeUIntBE(row, ROW_IN_UUID_AT, ROW_IN_UUID_BYTES);
  mask(bytes);
  return uuidText(bytes);
}

function rowIn(uuid: Buffer): number {
  const bytes = Buffer.from(uuid);
  mask(bytes);
  return bytes.readUIntBE(ROW_IN_UUID_AT, ROW_IN_UUID_BYTES);
}

function mask(bytes: Buffer): void {
  for (let index = 0; index < ROW_IN_UUID_BYTES; index += 1) {
    const at = ROW_IN_UUID_AT + index;
    bytes[at] = (bytes[at] ?? 0) ^ (bytes[index] ?? 0);
  }
}

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
