import { blocksByDefault, defaultNumberSettings, type NumberSettings } from './settings.ts';

/** Numbers are written with or without the plus; they are compared without. */
export function plain(number: string): string {
  return number.replace('+', '');
}

/** The settings of each number. */
export interface NumberBook {
  readonly read: (number: string) => NumberSettings;
  readonly write: (number: string, settings: Partial<NumberSettings>) => void;
}

/** Nobody has set any number yet. */
export function createNumberBook(): NumberBook {
  const numbers = new Map<string, NumberSettings>();
  const read = (number: string): NumberSettings =>
    numbers.get(plain(number)) ?? defaultNumberSettings(plain(number));
  return {
    read,
    write: (number, settings) => {
      // Who changes the type gets what that type does, unless he says otherwise.
      const ofType = settings.type === undefined ? {} : { blocksStop: blocksByDefault(settings.type) };
      numbers.set(plain(number), { ...read(number), ...ofType, ...settings });
    },
  };
}
