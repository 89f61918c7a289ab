/** The most characters of a first or last name. */
export const NAME_LENGTH_MAX = 200;
/** The most custom fields of a contact. */
export const CUSTOM_KEYS_MAX = 50;
/** The most characters of a custom field's value. */
export const CUSTOM_VALUE_LENGTH_MAX = 500;
