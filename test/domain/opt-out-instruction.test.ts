import { describe, expect, test } from 'vitest';
import { hasOptOutInstruction, misusedKeywords } from '../../domain/opt-out-instruction.ts';

describe('an opt-out instruction', () => {
  test.each([
    'Reply STOP to opt out',
    'reply stop',
    'Text “STOP” to end',
    'Txt STOP 2 end',
    'STOP to end',
    'STOP=end',
    'Reply END to stop messages',
    'To unsubscribe, tell us.',
    'Opt-out: shop.example/x',
    'Zum Abmelden antworte STOP',
    'Antworte mit STOP',
    'Répondez STOP',
    'STOP au 36063',
    'Responda STOP',
    'Envíe BAJA',
    'Sale today.\nReply STOP',
  ])('stands in %j', (text) => expect(hasOptOutInstruction(text)).toBe(true));

  test.each([
    '',
    'Non-stop sale',
    'Stop by our shop',
    'Can you stop this bill',
    'Reply CANCEL to cancel your appointment',
    'Reply YES to stop by our shop',
    'Sale ends soon, cancel any time',
    'Baja California from $99',
    'The last stop: our shop',
  ])('does not stand in %j', (text) => expect(hasOptOutInstruction(text)).toBe(false));

  test('is no misuse of its keyword, and a misuse is no instruction', () => {
    expect(misusedKeywords('Reply STOP to opt out. Reply CANCEL to cancel the table.')).toEqual(['CANCEL']);
    expect(misusedKeywords('Reply END. Reply end.')).toEqual(['END']);
  });
});
