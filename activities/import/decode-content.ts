import { isAscii, isUtf8 } from 'node:buffer';
import chardet from 'chardet';
import iconv from 'iconv-lite';

/** Text of a file in pieces, and the encoding as far as it is known: plain ASCII reads the same in most. */
export interface ContentDecoder {
  write(bytes: Buffer): string;
  end(): string;
  encoding(): string;
}

type Decode = (bytes: Buffer | null) => string;

/**
 * Decodes a file whose encoding nobody has named: a byte order mark decides, else zero bytes in every other
 * place show UTF-16, else the first piece with other than ASCII characters shows whether it is UTF-8 or, by
 * its letters' frequencies, which code page. So a file that is ASCII for its first megabyte is read right, too.
 */
export function createContentDecoder(): ContentDecoder {
  let encoding = 'utf-8';
  let decode: Decode | null = null;
  let isFirst = true;
  let cut: Buffer = Buffer.alloc(0);
  const choose = (name: string): Decode => {
    encoding = name;
    decode = decoderOf(name);
    return decode;
  };

  return {
    write: (given) => {
      if (decode !== null) return decode(given);
      if (isFirst && given.length > 0) {
        isFirst = false;
        const wide = wideEncodingOf(given);
        if (wide !== null) return choose(wide)(given);
      }
      const bytes = cut.length === 0 ? given : Buffer.concat([cut, given]);
      const whole = withoutCutCharacter(bytes);
      cut = bytes.subarray(whole.length);
      if (isAscii(whole)) return whole.toString('latin1');
      return choose(isUtf8(whole) ? 'utf-8' : codePageOf(bytes))(bytes);
    },
    end: () => {
      // What looked like the first half of a character had no second.
      if (decode === null && cut.length > 0) return choose(codePageOf(cut))(cut);
      return decode?.(null) ?? '';
    },
    encoding: () => encoding,
  };
}

/** How sure the detection has to be of a code page other than Western European; short samples mislead it. */
const CONFIDENCE_MIN = 40;

const ICONV_NAMES: Readonly<Record<string, string>> = {
  // Windows writes a superset and calls it by this name.
  'ISO-8859-1': 'windows-1252',
  'ISO-8859-9': 'windows-1254',
};

function wideEncodingOf(bytes: Buffer): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const sample = bytes.subarray(0, 1_000);
  const zeros = [0, 0];
  for (const [index, byte] of sample.entries())
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (odd > sample.length / 4 && even === 0) return 'utf-16le';
  if (even > sample.length / 4 && odd === 0) return 'utf-16be';
  return null;
}

function codePageOf(bytes: Buffer): string {
  const best = chardet
    .analyse(bytes)
    .find((match) => !/^(UTF|ASCII|ISO-2022)/.test(match.name) && iconv.encodingExists(match.name));
  if (best === undefined || best.confidence < CONFIDENCE_MIN) return 'windows-1252';
  return (ICONV_NAMES[best.name] ?? best.name).toLowerCase();
}

/** A piece may end within a character of up to four bytes, which is no fault of the file's. */
function withoutCutCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0xc0) return bytes.subarray(0, bytes.length - back);
    if ((byte & 0x80) === 0) return bytes;
  }
  return bytes;
}

function decoderOf(name: string): Decode {
  if (name === 'utf-8') {
    const decoder = new TextDecoder('utf-8');
    return (bytes) => (bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true }));
  }
  const decoder = iconv.getDecoder(name);
  return (bytes) => (bytes === null ? (decoder.end() ?? '') : decoder.write(bytes));
}
