import type { CarrierStanding } from '../../domain/carrier-standing.ts';

/**
 * Thrown by a step that cannot go on before the carrier has been asked how its account stands. The step's transaction
 * is undone, since none stays open over a request, and the step is made again with the answer.
 */
export class CarrierQuestion extends Error {
  override readonly name = 'CarrierQuestion';
  readonly carrierAccountId: string;

  constructor(carrierAccountId: string) {
    super('The carrier has to be asked how its account stands.');
    this.carrierAccountId = carrierAccountId;
  }
}

/** What carriers have said, by carrier account; of others it asks. */
export type Standings = ReadonlyMap<string, CarrierStanding>;

/** The carrier's word on its account. Throws a CarrierQuestion as long as there is none. */
export function wordOf(standings: Standings): (carrierAccountId: string) => CarrierStanding {
  return (carrierAccountId) => {
    const standing = standings.get(carrierAccountId);
    if (standing === undefined) throw new CarrierQuestion(carrierAccountId);
    return standing;
  };
}
