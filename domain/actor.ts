/** Who acts and by which way; stands in actions, holds and the log. */
export interface Actor {
  /** A person `per_...`, else the key `key_...`, else `system` or `temporal`. */
  readonly id: string;
  readonly via: 'api' | 'temporal' | 'system';
  /** The API key that was used, also when a person acts. */
  readonly keyId?: string;
}
