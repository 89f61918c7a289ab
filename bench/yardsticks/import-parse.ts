import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

// The least that any import has to do: read the file and judge its numbers. Prints how long that takes.
const [path = ''] = process.argv.slice(2);
const started = performance.now();
let rows = 0;
let valid = 0;
const records: AsyncIterable<string[]> = createReadStream(path).pipe(parse({ bom: true, from_line: 2 }));
for await (const record of records) {
  rows += 1;
  if (parsePhoneNumberFromString(record[2] ?? '', 'US')?.isValid() === true) valid += 1;
}
process.stdout.write(`${JSON.stringify({ ms: performance.now() - started, rows, valid })}\n`);
