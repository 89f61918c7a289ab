import type { Carrier, SendRequest, SendResult } from '../carrier/carrier.ts';
import { createPlivoCarrier } from '../carrier/plivo/plivo-carrier.ts';
import { type Db, openCarrierAccount } from '../db/carrier-credentials.ts';

/** A client for each carrier account, made when first needed. */
export interface Carriers {
  readonly send: (carrierAccountId: string, request: SendRequest) => Promise<SendResult>;
  readonly close: () => Promise<void>;
}
