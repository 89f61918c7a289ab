/** A whole number above zero from the command line. Throws an Error that names the option. */
export function parseWholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new Error(`${option} is "${text}". Give a whole number from 1.`);
  }
  return number;
}
