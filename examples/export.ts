import { open } from 'node:fs/promises';
import { CarillonProblem, headersOf } from '../client/index.ts';

// Downloads the recipients of a campaign with what became of each, one JSON object a line, and goes on where it was
// when the connection breaks:
//   CARILLON_KEY=crl_... npx tsx examples/export.ts cmp_... recipients.ndjson
const { CARILLON_URL: url = 'http://127.0.0.1:8080', CARILLON_KEY: key } = process.env;
const [campaignId, path] = process.argv.slice(2);
if (key === undefined) throw new Error('CARILLON_KEY is not set: give the key that the first start printed.');
if (campaignId === undefined || path === undefined) {
  throw new Error('Name the campaign and the file to write: export.ts cmp_... recipients.ndjson');
}
const ATTEMPTS_MAX = 5;

const file = await open(path, 'w');
let cursor: string | null = null;
let rows = 0;
for (let attempt = 1; ; attempt += 1) {
  try {
    for await (const line of linesAfter(cursor)) {
      await file.appendFile(`${line}\n`);
      ({ cursor } = JSON.parse(line) as { cursor: string });
      rows += 1;
    }
    break;
  } catch (error) {
    if (error instanceof CarillonProblem || attempt === ATTEMPTS_MAX) throw error;
  }
}
await file.close();
console.log(`Wrote ${rows} rows.`);

/** Whole lines only: what follows the last line break of a broken download is asked for again. */
async function* linesAfter(seen: string | null): AsyncGenerator<string> {
  const query = new URLSearchParams({ format: 'ndjson', ...(seen === null ? {} : { cursor: seen }) });
  const response = await fetch(`${url}/v1/campaigns/${campaignId}/recipients/export?${query.toString()}`, {
    headers: headersOf({ url, key: key ?? '' }),
  });
  if (!response.ok) throw await CarillonProblem.of(response);
  let rest = '';
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
