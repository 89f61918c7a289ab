import type { Static } from 'typebox';
import type { Campaign } from '../db/campaigns.ts';
import type { Trx } from '../db/database.ts';
import type { Message } from '../db/messages.ts';
import { readPreviewFacts } from '../db/preview.ts';
import type { PreviewFacts } from '../domain/preview.ts';
import { Problem, unknownReference } from './problem.ts';
import type { ExampleInput } from './schemas/message-schemas.ts';

/** What a message looks like for whom a request names; throws a Problem that says which of them does not exist. */
export async function readExample(
  trx: Trx,
  campaign: Campaign,
  message: Message,
  input: Static<typeof ExampleInput>,
): Promise<Omit<PreviewFacts, 'at'>> {
  const { contactId = null, accountId = null } = input;
  const read = await readPreviewFacts(trx, campaign, message, { contactId, accountId });
  switch (read.kind) {
    case 'facts':
      return read.facts;
    case 'no_contact':
      throw unknownReference('/contactId', 'contact');
    case 'no_account':
      if (accountId !== null) throw unknownReference('/accountId', "sub-account of the campaign's preset");
      throw new Problem(
        'not-launchable',
        'The campaign goes to no sub-account yet, whose fields its text has.',
        {
          errors: [{ pointer: '/presetId', message: 'Choose a preset that has sub-accounts.' }],
        },
      );
  }
}
