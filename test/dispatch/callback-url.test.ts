import { createHmac } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import {
  type CallbackPath,
  callbackUrlsOf,
  createPathVerifier,
  type PathParts,
  type SigningKey,
  testCallbackUrl,
} from '../../db/callback-url.ts';

const KEY = { id: 'k1', secret: Buffer.alloc(32, 7) };
const OLDER = { id: 'k0', secret: Buffer.alloc(32, 8) };
const ACCOUNT = 'acc_01m8bmeg44fqebbbp6mmzxh506';
const LEASE = { month: '2026-11-01', leaseId: 4711 };

/** As of a verifier that has met no path before. */
function verifyAtFirst(keys: readonly SigningKey[], path: PathParts): CallbackPath | null {
  return createPathVerifier(keys)(path);
}

/** The parts of a callback's path, as the route takes it apart. */
function partsOf(url: string): PathParts {
  const [accountId = '', keyId = '', postId = '', mac = ''] =
    url.split('/callbacks/plivo/')[1]?.split('/') ?? [];
  return { accountId, keyId, postId, mac };
}

const made = partsOf(callbackUrlsOf('https://carillon.example', KEY, ACCOUNT, LEASE)(3));

test('a path that we have made names its account, lease and request again, also once its key signs no more', () => {
  const post = { kind: 'lease', accountId: ACCOUNT, post: { ...LEASE, request: 3 } };
  expect(verifyAtFirst([KEY], made)).toEqual(post);
  expect(verifyAtFirst([OLDER, KEY], made)).toEqual(post);
});

describe('a path that we have not made', () => {
  // Two in a row: the proof of what is altered is kept in mind by then.
  const verify = createPathVerifier([KEY, OLDER]);
  it.each([
    ['another account', { accountId: 'acc_01m8bmeg44fqebbbp6mmzxh507' }],
    ['another lease', { postId: '202611-3mw-3' }],
    ['another month', { postId: '202612-3mv-3' }],
    ['a test in the place of a lease', { postId: 'test-3mv' }],
    ['a key that there is not', { keyId: 'k2' }],
    ['another key', { keyId: 'k0' }],
    ['another proof', { mac: 'A'.repeat(32) }],
    ['no proof', { mac: '' }],
    ['a part of the proof', { mac: made.mac.slice(0, 16) }],
  ])('is refused with %s', (_, altered) => {
    expect(made.postId).toBe('202611-3mv-3');
    expect(verifyAtFirst([KEY, OLDER], { ...made, ...altered })).toBeNull();
    expect(verify(made)).not.toBeNull();
    expect(verify({ ...made, ...altered })).toBeNull();
  });
});

test('a lease whose proof is kept in mind still names the request of each path', () => {
  const verify = createPathVerifier([KEY]);
  const other = { ...made, postId: '202611-3mv-z' };
  for (const path of [made, other, made]) expect(verify(path)).toEqual(verifyAtFirst([KEY], path));
  expect(verify(other)).toEqual({ kind: 'lease', accountId: ACCOUNT, post: { ...LEASE, request: 35 } });
});

test('a path whose proof is of one post alone, as they were made before, is known for as long as its reports come', () => {
  const subject = `plivo/${ACCOUNT}/k1/${made.postId}`;
  const mac = createHmac('sha256', KEY.secret).update(subject).digest('base64url').slice(0, 32);
  expect(mac).not.toBe(made.mac);
  const verify = createPathVerifier([KEY]);
  expect(verify({ ...made, mac })?.kind).toBe('lease');
  // It proves no other post of its lease.
  expect(verify({ ...made, postId: '202611-3mv-4', mac })).toBeNull();
});

test('the path of a test names its account and key again, and nothing else proves it', () => {
  const path = partsOf(testCallbackUrl('', KEY, ACCOUNT, 99));
  expect(verifyAtFirst([KEY], path)).toEqual({ kind: 'test', accountId: ACCOUNT, key: 99 });
  expect(verifyAtFirst([KEY], { ...path, postId: 'test-2s' })).toBeNull();
});
