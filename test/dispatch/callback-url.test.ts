import { createHmac } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { callbackUrlsOf, testCallbackUrl, verifyCallbackPath } from '../../db/callback-url.ts';

const KEY = { id: 'k1', secret: Buffer.alloc(32, 7) };
const OLDER = { id: 'k0', secret: Buffer.alloc(32, 8) };
const ACCOUNT = 'acc_01m8bmeg44fqebbbp6mmzxh506';
const LEASE = { month: '2026-11-01', leaseId: 4711 };

/** The parts of a callback's path, as the route takes it apart. */
function partsOf(url: string): { accountId: string; keyId: string; postId: string; mac: string } {
  const [accountId = '', keyId = '', postId = '', mac = ''] =
    url.split('/callbacks/plivo/')[1]?.split('/') ?? [];
  return { accountId, keyId, postId, mac };
}

const made = partsOf(callbackUrlsOf('https://carillon.example', KEY, ACCOUNT, LEASE)(3));

test('a path that we have made names its account, lease and request again, also once its key signs no more', () => {
  const post = { kind: 'lease', accountId: ACCOUNT, post: { ...LEASE, request: 3 } };
  expect(verifyCallbackPath([KEY], made)).toEqual(post);
  expect(verifyCallbackPath([OLDER, KEY], made)).toEqual(post);
});

describe('a path that we have not made', () => {
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
    expect(verifyCallbackPath([KEY, OLDER], { ...made, ...altered })).toBeNull();
  });
});

test('a path whose proof is of one post alone, as they were made before, is known for as long as its reports come', () => {
  const subject = `plivo/${ACCOUNT}/k1/${made.postId}`;
  const mac = createHmac('sha256', KEY.secret).update(subject).digest('base64url').slice(0, 32);
  expect(mac).not.toBe(made.mac);
  expect(verifyCallbackPath([KEY], { ...made, mac })?.kind).toBe('lease');
});

test('the path of a test names its account and key again, and nothing else proves it', () => {
  const path = partsOf(testCallbackUrl('', KEY, ACCOUNT, 99));
  expect(verifyCallbackPath([KEY], path)).toEqual({ kind: 'test', accountId: ACCOUNT, key: 99 });
  expect(verifyCallbackPath([KEY], { ...path, postId: 'test-2s' })).toBeNull();
});
