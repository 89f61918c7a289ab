import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

// The least that any import has to do: read the file and judge its numbers. Prints how long that takes.
const [path = ''] = process.argv.slice(2);
const started = performance.now();
const parser = createReadStream(path).pipe(parse({ bom: true, from_line: 2 }));
let rows = 0;
let valid = 0;
parser.on('readable', () => {
  for (let record: string[] | null = parser.read(); record !== null; record = parser.read()) {
    rows += 1;
    if (parsePhoneNumberFromString(record[2] ?? '', 'US')?.isValid() === true) valid += 1;
  }
});
await new Promise((resolve, reject) => {
  parser.once('end', resolve);
  parser.once('error', reject);
});
process.stdout.write(`${JSON.stringify({ ms: performance.now() - started, rows, valid })}\n`);
