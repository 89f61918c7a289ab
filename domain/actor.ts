/** By which ways somebody acts. */
export const ACTOR_VIAS = ['api', 'parent', 'temporal', 'system'] as const;
export type ActorVia = (typeof ACTOR_VIAS)[number];

/** The way that a row was written with; whatever else stands there came through the API. */
export function viaOf(via: string): ActorVia {
  return ACTOR_VIAS.find((known) => known === via) ?? 'api';
}

/** Who acts and by which way; stands in actions, holds and the log. */
export interface Actor {
  /** A person `per_...`, else the key `key_...`, else `system` or `temporal`. */
  readonly id: string;
  /** `parent`: the account's parent acts for it through the API, so person and key are the parent's. */
  readonly via: ActorVia;
  /** The API key that was used, also when a person acts. */
  readonly keyId?: string;
}
