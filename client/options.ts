/** Where a Carillon is and who calls. */
export interface CarillonOptions {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** An account's key, or an operator's together with `account`. */
  readonly key: string;
  /** The account that an operator's key acts for: `acc_...`. */
  readonly account?: string;
  /** Who acts with the key: `per_...`. */
  readonly person?: string;
}

/** The headers that every call carries. */
export function headersOf({ key, account, person }: CarillonOptions): Record<string, string> {
  return {
    authorization: `Bearer ${key}`,
    ...(account === undefined ? {} : { 'carillon-account': account }),
    ...(person === undefined ? {} : { 'carillon-person': person }),
  };
}
