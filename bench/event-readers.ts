import { request } from 'node:http';

// So many readers of each campaign's live events, in a process of its own, for so long. Prints what they saw: how late
// each event was for the last reader, and when the last one knew of each state of progress.
const { url, key, campaignIds, readersEach, untilMs } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly url: string;
  readonly key: string;
  readonly campaignIds: readonly string[];
  readonly readersEach: number;
  readonly untilMs: number;
};

/** The delays of all events with an id, over all readers. */
const delaysMs: number[] = [];
/** Of each campaign: a count of accepted texts, and when each reader was told of it. */
const progress = new Map<string, Map<number, number[]>>(campaignIds.map((id) => [id, new Map()]));
let cutOff = 0;
let heard = 0;
/** Epoch milliseconds; null while readers are being opened, who are told how far things have come by then. */
let openedAt: number | null = null;

async function listen(campaignId: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const asked = request(
      `${url}/v1/campaigns/${campaignId}/events`,
      { headers: { authorization: `Bearer ${key}` }, agent: false },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`A reader was answered ${response.statusCode}.`));
        let rest = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const blocks = (rest + chunk).split('\n\n');
          rest = blocks.pop() ?? '';
          for (const block of blocks) take(campaignId, block);
          resolve();
        });
        response.once('close', () => {
          if (Date.now() < untilMs) cutOff += 1;
        });
        response.once('error', () => undefined);
      },
    );
    asked.once('error', reject);
    asked.end();
  });
}

function take(campaignId: string, block: string): void {
  const data = /^data: (.*)$/m.exec(block)?.[1];
  if (data === undefined || block.includes('event: ready')) return;
  if (openedAt === null) return;
  heard += 1;
  const told = JSON.parse(data) as { readonly at?: string; readonly accepted?: number };
  if (told.at !== undefined) delaysMs.push(Date.now() - Date.parse(told.at));
  if (told.accepted !== undefined) {
    const states = progress.get(campaignId);
    states?.set(told.accepted, [...(states.get(told.accepted) ?? []), Date.now()]);
  }
}

for (const campaignId of campaignIds) {
  await Promise.all(Array.from({ length: readersEach }, () => listen(campaignId)));
}
openedAt = Date.now();
process.stderr.write('listening\n');
await new Promise((resolve) => {
  setTimeout(resolve, untilMs - Date.now());
});
delaysMs.sort((one, other) => one - other);
const states = [...progress].map(([id, told]) => [
  id,
  [...told].map(([accepted, at]) => [accepted, Math.max(...at), at.length]),
]);
const result = {
  heard,
  cutOff,
  openedAt,
  events: delaysMs.length,
  eventDelayMsMax: delaysMs.at(-1) ?? 0,
  eventDelayMsMedian: delaysMs[Math.floor(delaysMs.length / 2)] ?? 0,
  states,
};
process.stdout.write(JSON.stringify(result), () => process.exit(0));
