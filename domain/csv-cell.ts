/**
 * A cell as a spreadsheet shows it and never runs it: one that begins as a formula does gets an apostrophe before it
 * (OWASP, CSV injection), full-width forms too. A number in E.164 is left alone: nothing but a plus sign and digits
 * computes nothing, and programs have to find the number as it is.
 */
export function escapeFormula(text: string): string {
  return FORMULA.test(text) && !E164.test(text) ? `'${text}` : text;
}

const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const E164 = /^\+[1-9]\d{6,14}$/;
