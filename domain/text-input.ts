/**
 * Whether a text can be stored and sent as it is: no NUL or other C0 control but line feed and tab, and no
 * surrogate without its other half (PostgreSQL refuses the first, UTF-8 has no form for the second).
 */
export function isWellFormedText(text: string): boolean {
  // Most texts hold nothing of the kind, and a regular expression sees that faster than a loop.
  if (!DOUBTFUL.test(text)) return true;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 && unit !== LINE_FEED && unit !== TAB) return false;
    if (unit >= 0xd800 && unit <= 0xdfff) {
      if (!isPair(unit, text.charCodeAt(index + 1))) return false;
      index += 1;
    }
  }
  return true;
}

// oxlint-disable-next-line no-control-regex -- Control characters are what it looks for.
const DOUBTFUL = /[\u0000-\u0008\u000b-\u001f\ud800-\udfff]/;
const TAB = 0x09;
const LINE_FEED = 0x0a;

function isPair(high: number, low: number): boolean {
  return high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}
