import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/** A file of JSON lines that is only ever appended to. */
export interface LedgerFile {
  /** Written before it returns, so that a killed process has it. */
  readonly write: (lines: readonly unknown[]) => void;
  /** Written soon: what a crash may lose, because it comes about again. */
  readonly writeSoon: (line: unknown) => void;
  readonly clear: () => void;
  readonly close: () => void;
}

const READ_BYTES = 1_048_576;
const FLUSH_MS = 100;
const NEW_LINE = 0x0a;

/**
 * Opens the file, hands each of its lines to `load` and cuts off a last line that a crash has torn.
 * Throws what the file system throws, and a SyntaxError when the file is no ledger.
 */
export function openLedgerFile(path: string, load: (line: unknown) => void): LedgerFile {
  const file = openSync(path, 'a+');
  const wholeBytes = readLines(file, (line) => load(JSON.parse(line)));
  ftruncateSync(file, wholeBytes);
  let pending: string[] = [];
  let timer: NodeJS.Timeout | null = null;

  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const text = pending.join('');
    pending = [];
    if (text !== '') writeAll(file, text);
  };
  return {
    write: (lines) => {
      // What is still pending is about earlier rows and goes first.
      flush();
      writeAll(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    },
    writeSoon: (line) => {
      pending.push(`${JSON.stringify(line)}\n`);
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    clear: () => {
      flush();
      ftruncateSync(file, 0);
    },
    close: () => {
      flush();
      closeSync(file);
    },
  };
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}

/** Says how many bytes whole lines take: a file of a million texts never is in memory at once. */
function readLines(file: number, take: (line: string) => void): number {
  const chunk = Buffer.alloc(READ_BYTES);
  let rest: Buffer = Buffer.alloc(0);
  let readBytes = 0;
  for (;;) {
    const count = readSync(file, chunk, 0, READ_BYTES, readBytes);
    if (count === 0) return readBytes - rest.length;
    readBytes += count;
    const bytes = Buffer.concat([rest, chunk.subarray(0, count)]);
    let start = 0;
    for (let end = bytes.indexOf(NEW_LINE); end !== -1; end = bytes.indexOf(NEW_LINE, start)) {
      take(bytes.toString('utf8', start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
}
