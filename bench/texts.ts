/** A text of his own for everybody. */
export const PERSONAL_TEXT = 'Hi {{firstName}}, our summer sale begins today.';
/** One text for everybody, which goes out in the carrier's bulk form. */
export const BULK_TEXT = 'Our summer sale begins today.';
