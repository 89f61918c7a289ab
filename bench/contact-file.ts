import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const AREA_CODES = [
  212, 718, 917, 312, 773, 303, 720, 206, 425, 415, 510, 213, 310, 602, 480, 808, 907, 617, 404, 305,
];
const ZONES = ['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles'];
const FIRST_NAMES = ['Zoë', 'Liam', 'Ana', 'Noah', 'Inés', 'Omar', 'Uma', 'Björn'];
const LAST_NAMES = ['Nguyen', 'García', 'Hall', 'Evans', 'Müller', "O'Brien", 'Lee', 'Khan'];
const CITIES = ['Springfield', 'Portland', 'Franklin', 'Salem, Old Town'];
const LINES_AT_ONCE = 5_000;

/** Writes a file of contacts as people have them: numbers in several forms, a few twice and a few wrong. */
export async function writeContactFile(path: string, rows: number): Promise<void> {
  await pipeline(Readable.from(linesOf(rows)), createWriteStream(path));
}

/** The ten digits of the contact at this index, from 0; distinct below 100 million. */
export function digitsOf(index: number): string {
  const area = pick(AREA_CODES, index);
  const rest = Math.floor(index / AREA_CODES.length);
  // Scattered over the number plan, as real files are, so that no index is filled in its own order.
  const scattered = (rest * 3_141_593) % 5_000_000;
  return `${area}${2_000_000 + scattered}`;
}

/** The rest of the contact at this index. */
export function detailsOf(index: number): {
  firstName: string;
  lastName: string;
  zone: string;
  city: string;
} {
  return {
    firstName: pick(FIRST_NAMES, index),
    lastName: pick(LAST_NAMES, Math.floor(index / 8)),
    zone: pick(ZONES, index),
    city: pick(CITIES, Math.floor(index / 3)),
  };
}

function* linesOf(rows: number): Generator<string> {
  yield 'First Name,Last Name,Mobile,Time Zone,City\n';
  for (let from = 0; from < rows; from += LINES_AT_ONCE) {
    let text = '';
    for (let index = from; index < Math.min(rows, from + LINES_AT_ONCE); index += 1) text += lineOf(index);
    yield text;
  }
}

function lineOf(index: number): string {
  const { firstName, lastName, zone, city } = detailsOf(index);
  return `${firstName},${lastName},${numberOf(index)},${zone},${city.includes(',') ? `"${city}"` : city}\n`;
}

function numberOf(index: number): string {
  if (index % 200 === 199) return '555-01';
  const digits = digitsOf(index % 100 === 99 ? index - 1 : index);
  const [area, exchange, line] = [digits.slice(0, 3), digits.slice(3, 6), digits.slice(6)];
  switch (index % 3) {
    case 0:
      return `(${area}) ${exchange}-${line}`;
    case 1:
      return `+1${digits}`;
    default:
      return `${area}-${exchange}-${line}`;
  }
}

function pick<Value>(values: readonly Value[], index: number): Value {
  const value = values[index % values.length];
  if (value === undefined) throw new RangeError('There is nothing to pick from.');
  return value;
}
