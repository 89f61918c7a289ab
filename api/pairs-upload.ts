import type { Readable } from 'node:stream';
import { createPairFileReader, type PairFile } from '../domain/import/pair-file.ts';
import { emptyContent } from './import-upload.ts';
import { Problem } from './problem.ts';

/** The most bytes of a file of pairs. */
export const PAIRS_FILE_BYTES_MAX = 5_000_000;

/**
 * Reads a file of pairs as it arrives, in UTF-8 with or without a byte order mark, keeping nothing of it but its rows.
 * Throws a Problem for a file that cannot be read.
 */
export async function readPairs(content: Readable): Promise<Extract<PairFile, { kind: 'pairs' }>> {
  const reader = createPairFileReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  try {
    // An end before the last byte must not end the connection, over which the answer is still to go.
    const chunks: AsyncIterable<Buffer> = content.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > PAIRS_FILE_BYTES_MAX) throw pairsTooLarge();
      reader.push(decode(() => decoder.decode(chunk, { stream: true })));
    }
  } catch (error) {
    // What still arrives is read and forgotten, so that the sender gets his answer.
    content.resume();
    throw error;
  }
  if (bytes === 0) throw emptyContent();
  reader.push(decode(() => decoder.decode()));
  const file = reader.end();
  if (file.kind === 'fault') throw new Problem('not-acceptable-value', file.message);
  return file;
}

/** The file is larger than is taken. */
export function pairsTooLarge(): Problem {
  return new Problem(
    'body-too-large',
    `A file of pairs has ${PAIRS_FILE_BYTES_MAX / 1_000_000} MB at most. Divide it and send its parts one by one.`,
  );
}

function decode(read: () => string): string {
  try {
    return read();
  } catch {
    throw new Problem(
      'not-acceptable-value',
      'The file is not UTF-8. Save it as "CSV UTF-8" and send it again.',
    );
  }
}
