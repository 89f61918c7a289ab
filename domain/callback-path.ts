/** Which post of which lease a status callback is about. Nothing per recipient is written before a post. */
export interface PostId {
  /** Ledger month, `YYYY-MM-01`. */
  readonly month: string;
  readonly leaseId: number;
  /** The request within the lease. */
  readonly request: number;
}

/** The lease that posts are of. */
export type LeaseOfPosts = Pick<PostId, 'month' | 'leaseId'>;

/** A lease as it stands in the paths of its posts, such as `202611-1a2b`. */
export function formatLeaseOfPosts({ month, leaseId }: LeaseOfPosts): string {
  return `${month.slice(0, 4)}${month.slice(5, 7)}-${leaseId.toString(36)}`;
}

/** A post id as it stands in a callback's path, such as `202611-1a2b-0`. */
export function formatPostId(post: PostId): string {
  return `${formatLeaseOfPosts(post)}-${post.request.toString(36)}`;
}

const POST_ID = /^(\d{4})(0[1-9]|1[0-2])-([0-9a-z]{1,11})-([0-9a-z]{1,4})$/;

/** The post id of a path, or null when it has not that shape. */
export function parsePostId(text: string): PostId | null {
  const match = POST_ID.exec(text);
  const [, year, month, lease, request] = match ?? [];
  if (year === undefined || month === undefined || lease === undefined || request === undefined) return null;
  const leaseId = Number.parseInt(lease, 36);
  if (!Number.isSafeInteger(leaseId)) return null;
  return { month: `${year}-${month}-01`, leaseId, request: Number.parseInt(request, 36) };
}

/** The id of the one post of a test, as it stands in a callback's path, such as `test-1a2b`. */
export function formatTestPostId(key: number): string {
  return `test-${key.toString(36)}`;
}

const TEST_POST_ID = /^test-([0-9a-z]{1,11})$/;

/** The key of a test that a path names, or null when it names none. */
export function parseTestPostId(text: string): number | null {
  const key = Number.parseInt(TEST_POST_ID.exec(text)?.[1] ?? '', 36);
  return Number.isSafeInteger(key) ? key : null;
}

/** What stands in a path before its MAC, and what is signed: there a lease is named in the place of a post. */
export function callbackSubject(carrier: string, accountId: string, keyId: string, id: string): string {
  return `${carrier}/${accountId}/${keyId}/${id}`;
}
