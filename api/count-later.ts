/** Counts that are gathered by a key and written together, beside the path of what they count. */
export interface LaterCounts<Count> {
  /** Makes of what is gathered for a key what it is with one more. */
  readonly add: (key: string, next: (gathered: Count | undefined) => Count) => void;
  /** Resolves once everything added so far has been written. */
  readonly close: () => Promise<void>;
}

const COUNT_INTERVAL_MS = 1_000;

/** What is added is written a second later. A process that dies in between loses a second's counts, and nothing else. */
export function countLater<Count>(
  write: (batch: readonly Count[]) => Promise<void>,
  onError: (error: unknown) => void,
): LaterCounts<Count> {
  let gathered = new Map<string, Count>();
  let timer: NodeJS.Timeout | null = null;
  let writing = Promise.resolve();

  const writeAll = (): void => {
    timer = null;
    const batch = [...gathered.values()];
    gathered = new Map();
    if (batch.length > 0) writing = writing.then(() => write(batch)).catch(onError);
  };

  return {
    add: (key, next) => {
      gathered.set(key, next(gathered.get(key)));
      timer ??= setTimeout(writeAll, COUNT_INTERVAL_MS);
    },
    close: async () => {
      if (timer !== null) clearTimeout(timer);
      writeAll();
      await writing;
    },
  };
}
