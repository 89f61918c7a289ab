import type { Carrier, ListRequest, ListResult, SendRequest, SendResult } from '../carrier/carrier.ts';
import { createPlivoCarrier } from '../carrier/plivo/plivo-carrier.ts';
import { type CarrierCredentials, findCarrierCredentials } from '../db/carrier-accounts.ts';
import type { Db } from '../db/database.ts';
import type { SealingKey } from '../db/sealing.ts';
import type { CarrierStanding } from '../domain/carrier-standing.ts';

/** A client for each carrier account, made when first needed. */
export interface Carriers {
  /** Makes an account's client ready, so that later calls wait for nothing of ours. */
  readonly prepare: (carrierAccountId: string) => Promise<void>;
  /** Never rejects because of the carrier; one POST at most. */
  readonly send: (carrierAccountId: string, request: SendRequest) => Promise<SendResult>;
  /** One page of the carrier's list; never rejects because of the carrier either. */
  readonly list: (carrierAccountId: string, request: ListRequest, signal: AbortSignal) => Promise<ListResult>;
  /** How the account itself stands; never rejects because of the carrier either. */
  readonly account: (carrierAccountId: string, signal: AbortSignal) => Promise<CarrierStanding>;
  readonly close: () => Promise<void>;
}

/** The client of an account, and when it is to be looked up again in machine time. */
interface Found {
  client: Promise<Carrier | null>;
  until: number;
}

/** How long changed credentials may take to be used; none of a thousand posts a second reads them again. */
const CREDENTIALS_KEPT_MS = 5_000;

/** Clients with the credentials of their rows; `defaults` are those of the environment. */
export function createCarriers(deps: {
  readonly db: Db;
  readonly keys: readonly SealingKey[];
  readonly defaults: CarrierCredentials | null;
  readonly apiUrl: string | undefined;
}): Carriers {
  const clients = new Map<string, Carrier>();
  const found = new Map<string, Found>();

  /** Looked up once more beside the path of those who use what is known: between last look and post nobody waits for it. */
  const refresh = async (carrierAccountId: string, known: Found): Promise<void> => {
    known.until = performance.now() + CREDENTIALS_KEPT_MS;
    const client = findClient(carrierAccountId);
    // Whoever cannot look them up now does it the next time.
    await client.then(
      () => {
        known.client = client;
      },
      () => undefined,
    );
  };

  const clientOf = (carrierAccountId: string): Promise<Carrier | null> => {
    const known = found.get(carrierAccountId);
    if (known !== undefined) {
      if (performance.now() >= known.until) void refresh(carrierAccountId, known);
      return known.client;
    }
    const client = findClient(carrierAccountId);
    found.set(carrierAccountId, { client, until: performance.now() + CREDENTIALS_KEPT_MS });
    client.catch(() => found.delete(carrierAccountId));
    return client;
  };

  const findClient = async (carrierAccountId: string): Promise<Carrier | null> => {
    const credentials = await findCarrierCredentials(deps.db, carrierAccountId, deps.keys, deps.defaults);
    if (credentials === null) return null;
    // Changed credentials make a new client; the old one's connections close by themselves when idle.
    const key = `${carrierAccountId} ${credentials.authId} ${credentials.authToken}`;
    const known = clients.get(key);
    if (known !== undefined) return known;
    const client = createPlivoCarrier({
      ...credentials,
      ...(deps.apiUrl === undefined ? {} : { apiUrl: deps.apiUrl }),
    });
    clients.set(key, client);
    return client;
  };

  return {
    prepare: async (carrierAccountId) => {
      await clientOf(carrierAccountId).catch(() => undefined);
    },
    send: async (carrierAccountId, request) => {
      const client = await clientOf(carrierAccountId).catch(() => undefined);
      if (client === undefined) return { kind: 'not_accepted', cause: 'not_written', retryAfterMs: null };
      if (client === null) return { kind: 'not_accepted', cause: 'credentials', retryAfterMs: null };
      return client.send(request);
    },
    list: async (carrierAccountId, request, signal) => {
      const client = await clientOf(carrierAccountId);
      if (client === null) return { kind: 'failed', cause: 'credentials', retryAfterMs: null };
      return client.list(request, signal);
    },
    account: async (carrierAccountId, signal) => {
      const client = await clientOf(carrierAccountId);
      return client === null ? { kind: 'refused' } : client.account(signal);
    },
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}
