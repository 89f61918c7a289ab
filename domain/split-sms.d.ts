/** The part of split-sms 0.1.7 that is used here; the package comes without declarations. */
declare module 'split-sms' {
  export function split(
    message: string,
    options?: { summary?: boolean },
  ): {
    characterSet: 'GSM' | 'Unicode';
    parts: { length: number; bytes: number }[];
    bytes: number;
    length: number;
    remainingInPart: number;
  };
}
