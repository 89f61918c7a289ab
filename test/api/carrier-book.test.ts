import { expect, test } from 'vitest';
import { createCarrierBook, type ListedCarrier } from '../../api/carrier-book.ts';

const SECOND_MS = 1_000;

const carrier = (id: string, sealed: string, isDefault = false): ListedCarrier => ({
  id,
  authId: `MA-${id}`,
  sealed,
  isDefault,
});

/** A book over carrier accounts that a test changes, with a clock that it moves. */
function openBook(...carriers: ListedCarrier[]) {
  const stored = { carriers, asks: 0, atMs: 0, fails: false };
  const book = createCarrierBook({
    load: () => {
      stored.asks += 1;
      return stored.fails
        ? Promise.reject(new Error('The database is away.'))
        : Promise.resolve(stored.carriers);
    },
    now: () => stored.atMs,
  });
  /** Who has signed what carries this token. */
  const signer = (name: string, token: string): Promise<string | null> =>
    book.signer(name, (sealed) => sealed?.sealed === token);
  return { stored, signer };
}

test('a carrier account is found by its id, and the default one by that word, too', async () => {
  const { signer } = openBook(carrier('car_1', 'one', true), carrier('car_2', 'two'));
  expect(await signer('car_2', 'two')).toBe('car_2');
  expect(await signer('default', 'one')).toBe('car_1');
  expect(await signer('car_1', 'two')).toBeNull();
  expect(await signer('car_3', 'one')).toBeNull();
});

test('what is forged, under whatever names, costs the database a question a second at most', async () => {
  const { stored, signer } = openBook(carrier('car_1', 'one'));
  for (let forged = 0; forged < 2_000; forged += 1) {
    await signer(forged % 2 === 0 ? 'car_1' : `car_forged${forged}`, 'guess');
    stored.atMs += 5;
  }
  expect(stored.asks).toBe(10);
});

test('what is genuine is taken all the while, and asks nothing', async () => {
  const { stored, signer } = openBook(carrier('car_1', 'one'));
  for (let taken = 0; taken < 100; taken += 1) expect(await signer('car_1', 'one')).toBe('car_1');
  expect(stored.asks).toBe(1);
});

test('a new token and a new carrier account are known a second later, although others are refused meanwhile', async () => {
  const { stored, signer } = openBook(carrier('car_1', 'old'));
  expect(await signer('car_1', 'guess')).toBeNull();
  stored.carriers = [carrier('car_1', 'new'), carrier('car_2', 'two')];
  stored.atMs += SECOND_MS;
  expect(await signer('car_1', 'new')).toBe('car_1');
  expect(await signer('car_2', 'two')).toBe('car_2');
});

test('a token that was taken away is believed for ten seconds at most', async () => {
  const { stored, signer } = openBook(carrier('car_1', 'old'));
  expect(await signer('car_1', 'old')).toBe('car_1');
  stored.carriers = [carrier('car_1', 'new')];
  stored.atMs += 10 * SECOND_MS;
  expect(await signer('car_1', 'old')).toBeNull();
});

test('a database that is away is an error and no refusal, and is asked again at once', async () => {
  const { stored, signer } = openBook(carrier('car_1', 'one'));
  stored.fails = true;
  await expect(signer('car_1', 'one')).rejects.toThrow('The database is away.');
  stored.fails = false;
  expect(await signer('car_1', 'one')).toBe('car_1');
});
