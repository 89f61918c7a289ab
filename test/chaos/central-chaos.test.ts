import { expect, test } from 'vitest';
import { ownTextsOnly } from '../../chaos/central/contact-invariants.ts';
import { planContacts, sharedNumbers } from '../../chaos/central/plan-contacts.ts';
import { countOverlaps, type Run } from '../../chaos/central/runs.ts';
import { hashOfOwnText, paddingFor, type Words } from '../../chaos/central/words.ts';
import { countSegments, GSM_UNITS_MAX } from '../../domain/segments.ts';

test.each([
  [3, 3],
  [7, 100],
  [600, 12_000],
])('contacts are spread evenly over %i accounts, nobody twice with one of them', (accounts, contacts) => {
  const planned = planContacts(accounts, contacts);
  const sizes = planned.map((own) => own.length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(contacts);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  for (const own of planned) expect(new Set(own.map(({ number }) => number)).size).toBe(own.length);
  expect(planned.flat().every(({ number }) => /^\+1\d{10}$/.test(number))).toBe(true);
  const names = planned.flat().map(({ firstName }) => firstName);
  expect(new Set(names).size, 'every contact has a name of its own with each account').toBe(contacts);
});

test.each([200, 300, 1_000])(
  'of %i some people are contacts of several accounts, and most of one alone',
  (contacts) => {
    const planned = planContacts(100, contacts);
    const numbers = new Set(planned.flat().map(({ number }) => number));
    const shared = sharedNumbers(planned);
    expect(shared.size).toBeGreaterThan(0);
    expect(shared.size).toBeLessThan(numbers.size / 2);
  },
);

test.each([1, 3, 9, 50])(
  'a text that is to have %i segments has about so many, as far as a carrier takes',
  (wanted) => {
    const text = `B123: Sender 123 of Branch 123 for Name7of123 at +14155550100.${paddingFor(wanted)} Bye from 123.`;
    expect(text.length).toBeLessThanOrEqual(GSM_UNITS_MAX);
    expect(countSegments(text)).toBeGreaterThanOrEqual(Math.min(wanted, 8));
    expect(countSegments(text)).toBeLessThanOrEqual(wanted + 1);
  },
);

const run = (workflowId: string, startedAt: number, closedAt: number | null): Run => ({
  workflowId,
  startedAt,
  closedAt,
});

test('two runs of one workflow at the same time are found out, those one after another and of others are not', () => {
  expect(countOverlaps([run('a', 1, 5), run('a', 5, null), run('b', 2, 9)])).toBe(0);
  expect(countOverlaps([run('a', 4, null), run('a', 1, 5)])).toBe(1);
  expect(countOverlaps([run('a', 1, null), run('a', 2, 3), run('a', 4, 5)])).toBe(2);
});

const wordsOf = (index: number): Words => ({
  name: `Branch ${index}`,
  senderName: `Sender ${index}`,
  prefix: `B${index}: `,
  suffix: ` Bye from ${index}.`,
});

test('a text with a word of another account, from its number or to its contact is found out', () => {
  const [first = [], second = []] = planContacts(2, 8);
  const subAccounts = [first, second].map((contacts, index) => ({
    ...wordsOf(index),
    accountId: `acc_${index}`,
    address: `3000${index}`,
    listId: '',
    contacts,
    suppressed: [],
    key: '',
  }));
  const line = (src: string, contact: (typeof first)[number] | undefined, words: Words) => {
    if (contact === undefined) throw new Error('There is no contact.');
    const sha256 = hashOfOwnText(words, contact, '');
    return { src, dst: contact.number, sha256, time: 0, uuid: '', final: null, error_code: null };
  };
  const right = [line('30000', first[0], wordsOf(0)), line('30001', second[0], wordsOf(1))];
  const check = (more: ReturnType<typeof line>[]) =>
    ownTextsOnly([...right, ...more], { family: { subAccounts }, padding: '' }).holds;
  expect(check([])).toBe(true);
  expect(check([line('30000', first[1], wordsOf(1))])).toBe(false);
  expect(check([line('30000', first[1], { ...wordsOf(0), suffix: wordsOf(1).suffix })])).toBe(false);
  expect(check([line('30001', first.at(-1), wordsOf(1))])).toBe(false);
});
