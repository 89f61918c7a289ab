/** What became of one HTTP request, as far as the socket knows. */
export interface HttpReport {
  /** The request began to be written: from then on a failure says nothing about what arrived. */
  wasWritten: boolean;
  status: number | null;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
  /** The code of the error that ended it, such as ECONNREFUSED. */
  errorCode: string | null;
}
