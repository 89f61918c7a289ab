import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { validateSignature, validateV3Signature } from 'plivo';
import { describe, expect, it } from 'vitest';
import {
  type SignedRequest,
  signPlivoCallback,
  verifyPlivoSignature,
} from '../../carrier/plivo/callback-signature.ts';

const authToken = 'plivo-test-token';
const nonce = '12345678901234567890';
const url = 'https://sms.example/callbacks/plivo/acc_1/k1/post_1/mac';
const params = { To: '14155550001', From: '14155550100', Status: 'sent', Text: 'Grüße 🥖' };
const signed = { method: 'POST', url, params, authToken, nonce };

type Callback = typeof signed | { method: string; url: string; params: Record<string, string> };

/** The headers of one version, as they would come from a carrier that sends no other. */
function onlyV(version: 2 | 3, headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.includes(`-v${version}`)));
}

function v3Of(headers: Record<string, string>): string {
  return headers['x-plivo-signature-v3'] ?? '';
}

function isVerified(callback: Callback, more: Partial<SignedRequest>): boolean {
  const { method, url: at, params: form } = callback;
  return verifyPlivoSignature({
    method,
    url: at,
    params: form,
    headers: {},
    authToken,
    acceptV2: false,
    ...more,
  });
}

function isSdkVerified(callback: Callback, signature: string, token = authToken, once = nonce): boolean {
  const { method, url: at, params: form } = callback;
  return validateV3Signature(method, at, once, token, signature, form) === true;
}

/** Names that are no member of every object, which the SDK takes for fields that are there already. */
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((one) => !(one in {}));
const fields = fc.dictionary(name, fc.string({ unit: 'grapheme', maxLength: 20 }), { maxKeys: 5 });
const pairs = fc.array(fc.tuple(name, fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 4 });
const callbacks = fc
  .record({
    method: fc.constantFrom('POST', 'GET'),
    base: fc.constantFrom(
      url,
      'http://127.0.0.1:3000/callbacks/plivo/inbound/default',
      'https://SMS.example:443/Hooks/a%20b/%C3%BC/',
      'https://sms.example/a/../b',
    ),
    query: pairs,
    params: fields,
  })
  .map(({ method, base, query, params: form }) => ({
    method,
    url: query.length === 0 ? base : `${base}?${new URLSearchParams(query).toString()}`,
    params: form,
  }));

describe('a genuine signature', () => {
  it('is the one that the documentation spells out', () => {
    const text = 'https://sms.example/a?b=2&c=1.From14155550100StatussentTextGrüße 🥖To14155550001.nonce';
    const expected = createHmac('sha256', 'token').update(text).digest('base64');
    const given = { 'x-plivo-signature-v3': expected, 'x-plivo-signature-v3-nonce': 'nonce' };
    const callback = { method: 'POST', url: 'https://sms.example/a?c=1&b=2', params };
    expect(isVerified(callback, { authToken: 'token', headers: given })).toBe(true);
  });

  it('of ours is one to the SDK and to us, for any method, query and form', () => {
    fc.assert(
      fc.property(callbacks, (callback) => {
        const headers = signPlivoCallback({ ...callback, authToken, nonce });
        expect(isSdkVerified(callback, v3Of(headers))).toBe(true);
        expect(validateSignature(callback.url, nonce, headers['x-plivo-signature-v2'] ?? '', authToken)).toBe(
          true,
        );
        expect(isVerified(callback, { headers })).toBe(true);
        expect(isVerified(callback, { headers: onlyV(2, headers), acceptV2: true })).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['second of two', (one: string) => `b3RoZXI=,${one}`],
    ['first of two', (one: string) => `${one},b3RoZXI=`],
    ['one of three with blanks', (one: string) => `b3RoZXI= , ${one} , bW9yZQ==`],
    ['in a header that came twice', (one: string) => ['b3RoZXI=', one]],
  ])('is found as the %s while the carrier rotates its tokens', (_, list) => {
    const headers = onlyV(3, signPlivoCallback(signed));
    const value = list(v3Of(headers));
    const without = { 'x-plivo-signature-v3-nonce': nonce };
    expect(isVerified(signed, { headers: { ...without, 'x-plivo-signature-v3': value } })).toBe(true);
    expect(isVerified(signed, { headers: { ...without, 'x-plivo-signature-ma-v3': value } })).toBe(true);
  });

  it('of the main account stands beside a wrong one of the subaccount', () => {
    const headers = { ...signPlivoCallback(signed), 'x-plivo-signature-v3': 'b3RoZXI=' };
    expect(isVerified(signed, { headers })).toBe(true);
  });
});

describe('a forged request is refused', () => {
  const longer = (text: string): string => `${text}x`;

  it('where anything that V3 signs was altered, by us and by the SDK', () => {
    fc.assert(
      fc.property(
        callbacks,
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
        (callback, more) => {
          const headers = signPlivoCallback({ ...callback, authToken, nonce });
          const added = callback.url.includes('?') ? '&zz=1' : '?zz=1';
          const altered: Callback[] = [
            { ...callback, url: callback.url + added },
            { ...callback, url: callback.url.replace('/', '/x') },
            { ...callback, url: callback.url.replace('http', 'ftp') },
            { ...callback, params: { ...callback.params, Added: more } },
            ...Object.entries(callback.params).map(([field, value]) => ({
              ...callback,
              params: { ...callback.params, [field]: value + more },
            })),
          ];
          for (const one of altered) {
            expect(isVerified(one, { headers })).toBe(false);
            expect(isSdkVerified(one, v3Of(headers))).toBe(false);
          }
          expect(isVerified(callback, { headers, authToken: longer(authToken) })).toBe(false);
          expect(isSdkVerified(callback, v3Of(headers), longer(authToken))).toBe(false);
          expect(
            isVerified(callback, { headers: { ...headers, 'x-plivo-signature-v3-nonce': longer(nonce) } }),
          ).toBe(false);
          expect(isSdkVerified(callback, v3Of(headers), authToken, longer(nonce))).toBe(false);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('where a field was taken away or the method is another', () => {
    const headers = signPlivoCallback(signed);
    const { Status: _taken, ...rest } = params;
    expect(isVerified({ ...signed, params: rest }, { headers })).toBe(false);
    expect(isVerified({ ...signed, method: 'GET' }, { headers })).toBe(false);
  });

  it('where the signature is anything else, without an error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'grapheme' })), (signature) => {
        const headers = { 'x-plivo-signature-v3': signature, 'x-plivo-signature-v3-nonce': nonce };
        expect(isVerified(signed, { headers })).toBe(false);
      }),
    );
  });

  const both = signPlivoCallback(signed);
  const { 'x-plivo-signature-v3-nonce': _v3Nonce, ...noV3Nonce } = both;
  const { 'x-plivo-signature-v2-nonce': _v2Nonce, ...noV2Nonce } = onlyV(2, both);
  it.each([
    ['no header at all', {}, true],
    ['a nonce and no signature', { 'x-plivo-signature-v3-nonce': nonce }, true],
    ['a signature and no nonce', noV3Nonce, true],
    ['an empty nonce', { ...both, 'x-plivo-signature-v3-nonce': '' }, true],
    ['empty signatures', { ...both, 'x-plivo-signature-v3': '', 'x-plivo-signature-ma-v3': '' }, true],
    [
      'commas for signatures',
      { ...both, 'x-plivo-signature-v3': ',,', 'x-plivo-signature-ma-v3': ',' },
      true,
    ],
    ['a V2 signature and no nonce', noV2Nonce, true],
    ['V2 alone where it does not count', onlyV(2, both), false],
    [
      'a wrong V3 beside a right V2',
      { ...both, 'x-plivo-signature-v3': 'b3RoZXI=', 'x-plivo-signature-ma-v3': 'b3RoZXI=' },
      true,
    ],
    [
      'the V2 signature in the place of V3',
      { 'x-plivo-signature-v3': both['x-plivo-signature-v2'], 'x-plivo-signature-v3-nonce': nonce },
      true,
    ],
  ])('with %s', (_, headers, acceptV2) => {
    expect(isVerified(signed, { headers, acceptV2 })).toBe(false);
  });

  it('with a V2 signature of another path, nonce or token', () => {
    const headers = onlyV(2, signPlivoCallback(signed));
    expect(isVerified(signed, { headers, acceptV2: true })).toBe(true);
    expect(isVerified({ ...signed, url: `${url}x` }, { headers, acceptV2: true })).toBe(false);
    expect(isVerified(signed, { headers, acceptV2: true, authToken: 'other' })).toBe(false);
    const other = { ...headers, 'x-plivo-signature-v2-nonce': '1' };
    expect(isVerified(signed, { headers: other, acceptV2: true })).toBe(false);
  });
});
