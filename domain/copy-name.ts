/** The most characters of a campaign's name. */
export const NAME_LENGTH_MAX = 200;
const COPIES_MAX = 10_000;

/** Names for a copy in the order in which to try them: 'Copy of Sale', 'Copy of Sale (2)', ... cut to 200 characters. */
export function* copyNames(name: string): Generator<string> {
  for (let number = 1; number <= COPIES_MAX; number += 1) {
    const suffix = number === 1 ? '' : ` (${number})`;
    const room = NAME_LENGTH_MAX - suffix.length;
    // Cut between characters, so that no surrogate pair is torn apart.
    let copy = '';
    for (const character of `Copy of ${name}`) {
      if (copy.length + character.length > room) break;
      copy += character;
    }
    yield copy + suffix;
  }
}
