import { type Account, findAccount } from '../../db/accounts.ts';
import type { Campaign } from '../../db/campaigns.ts';
import { contactKey } from '../../db/contacts.ts';
import type { Trx } from '../../db/database.ts';
import { closedScopes } from '../../db/gates.ts';
import { gravestSuppression } from '../../db/left-out.ts';
import type { Message } from '../../db/messages.ts';
import { readRefusedContent } from '../../db/refused-content.ts';
import { spendLeft } from '../../db/review/review-settings.ts';
import { findSender, type Sender } from '../../db/senders.ts';
import { listTestNumbers, type TestNumber } from '../../db/test-numbers.ts';
import type { NewTestSend } from '../../db/test-sends/test-sends.ts';
import { affixesOf } from '../../domain/affixes.ts';
import { INSTALLATION } from '../../domain/hold.ts';
import { isQuiet, nextPermitted } from '../../domain/quiet-hours.ts';
import { costMicroUsd } from '../../domain/rates.ts';
import { isRegistered } from '../../domain/registration.ts';
import { SUSPENSIONS } from '../../domain/suspension.ts';
import { parseTemplate } from '../../domain/template.ts';
import { renderTest } from '../../domain/test-send.ts';
import { toOffsetString } from '../../domain/zoned-time.ts';
import { readExample } from '../example.ts';
import { causePersists, type FieldError, notFound, Problem, unknownReference } from '../problem.ts';
import type { TestInput } from '../schemas/test-schemas.ts';
import { mmsIssues } from './campaign-action-checks.ts';

/** A message that somebody wants to see on a phone. */
export interface TestOrder {
  readonly campaign: Campaign;
  readonly message: Message;
  readonly input: TestInput;
  readonly requestedBy: string;
  /** Campaign time in epoch milliseconds. */
  readonly at: number;
}

/**
 * Checks everything that protects whoever is texted, as a lease does, and renders the message. Resolves with what is to
 * be sent to each number; the worker checks again when it goes out. Throws a Problem for what forbids it.
 */
export async function testSendsOf(trx: Trx, order: TestOrder): Promise<NewTestSend[]> {
  const { campaign, message, input, at } = order;
  if (campaign.centralId !== null) {
    const parent = campaign.parentName ?? 'the parent';
    throw new Problem('action-not-allowed', `It was sent by ${parent}, who alone can send it on trial.`);
  }
  const account = await findAccount(trx, campaign.accountId);
  if (account === null) throw notFound('account');
  const numbers = await numbersOf(trx, input);
  const sender = await senderOf(trx, campaign, at);
  await refuseMessage(trx, order);
  await refuseHeld(trx, campaign, message, sender);
  refuseQuietHours(account, input, at);
  await refusePeople(trx, account, sender, numbers);
  const rendered = await render(trx, order);
  const sends = numbers.map((one): NewTestSend => ({
    accountId: account.id,
    campaignId: campaign.id,
    messageId: message.id,
    senderId: sender.id,
    // A contact of a sub-account is none of the parent's.
    contactId:
      input.contactId === undefined || campaign.kind === 'central' ? null : contactKey(input.contactId),
    number: one.number,
    numberHash: one.numberHash,
    country: one.country,
    kind: rendered.kind,
    text: rendered.text,
    mediaIds: message.mediaIds,
    segments: rendered.segments,
    costMicroUsd: costMicroUsd({
      country: one.country,
      senderType: sender.type,
      kind: rendered.kind,
      segments: rendered.segments,
      at,
    }),
    inQuietHours: input.confirmQuietHours ?? false,
    requestedBy: order.requestedBy,
  }));
  const left = await spendLeft(trx, account.id, account, at);
  if (left !== null && sends.reduce((sum, one) => sum + one.costMicroUsd, 0) > left) {
    throw causePersists('spend_limit', "The account's spend limit of this month is reached. Raise it first.");
  }
  return sends;
}

async function numbersOf(trx: Trx, { numbers }: TestInput): Promise<TestNumber[]> {
  const registered = await listTestNumbers(trx);
  if (registered.length === 0) {
    throw new Problem(
      'not-acceptable-value',
      'The account has no test numbers. Register one at /v1/test-numbers.',
    );
  }
  if (numbers === undefined) return registered;
  return numbers.map((number, index) => {
    const found = registered.find((one) => one.number === number);
    if (found === undefined) throw unknownReference(`/numbers/${index}`, 'test number');
    return found;
  });
}

async function senderOf(trx: Trx, campaign: Campaign, at: number): Promise<Sender> {
  const sender = campaign.senderId === null ? null : await findSender(trx, campaign.senderId);
  if (sender === null) {
    throw new Problem('not-launchable', 'The campaign has no sender yet.', {
      errors: [
        {
          pointer: '/senderId',
          message:
            campaign.kind === 'central'
              ? 'Choose the number that tests go out from; the campaign itself goes out from those of the sub-accounts.'
              : 'Choose the number it is sent from.',
        },
      ],
    });
  }
  const cause =
    sender.disabledAt !== null ? 'sender_disabled' : isRegistered(sender, at) ? null : 'registration_lapsed';
  if (cause !== null) throw causePersists(cause, SUSPENSIONS[cause].reason);
  return sender;
}

/** What no carrier should be sent: media that the sender cannot send, and refused phrases. */
async function refuseMessage(trx: Trx, { campaign, message, at }: TestOrder): Promise<void> {
  const errors: FieldError[] = [
    ...(await mmsIssues(trx, campaign, [message])).map((issue) => ({ ...issue, pointer: '/mediaIds' })),
    ...(await readRefusedContent(trx, [message], at)).map(({ code, message: words }) => ({
      pointer: '/text',
      code,
      message: words,
    })),
  ];
  if (errors.length > 0)
    throw new Problem('not-launchable', 'The message cannot be sent as it is.', { errors });
}

async function refuseHeld(trx: Trx, campaign: Campaign, message: Message, sender: Sender): Promise<void> {
  const scopes = [INSTALLATION, campaign.accountId, campaign.id, message.id, sender.id];
  if ((await closedScopes(trx, scopes)).size === 0) return;
  throw new Problem('held', 'A hold forbids that anything of this message goes out. Lift it first.');
}

function refuseQuietHours(account: Account, input: TestInput, at: number): void {
  const quiet = { start: account.quietStart, end: account.quietEnd };
  if (input.confirmQuietHours === true || !isQuiet(at, quiet, account.timeZone)) return;
  const permitted = toOffsetString(nextPermitted(at, quiet, account.timeZone), account.timeZone);
  throw new Problem(
    'quiet-hours',
    `Quiet hours last until ${permitted}. Confirm that whoever has the test numbers may be texted all the same.`,
    { errors: [{ pointer: '/confirmQuietHours', message: 'Send true, or wait.' }] },
  );
}

async function refusePeople(
  trx: Trx,
  account: Account,
  sender: Sender,
  numbers: readonly TestNumber[],
): Promise<void> {
  const errors: FieldError[] = [];
  for (const [index, one] of numbers.entries()) {
    const suppression = await gravestSuppression(trx, account.id, sender.id, one.numberHash);
    const code =
      suppression ?? (account.countries.includes(one.country) ? null : ('country_not_allowed' as const));
    if (code === null) continue;
    errors.push({ pointer: `/numbers/${index}`, code, message: `It must not be texted: ${code}.` });
  }
  if (errors.length > 0)
    throw new Problem('not-acceptable-value', 'A test number must not be texted.', { errors });
}

async function render(
  trx: Trx,
  { campaign, message, input }: TestOrder,
): Promise<{ readonly text: string; readonly segments: number; readonly kind: 'sms' | 'mms' }> {
  const facts = await readExample(trx, campaign, message, input);
  const parsed = parseTemplate(message.text);
  if (parsed.kind === 'malformed') throw new Error('A stored message is malformed.');
  const affixes = affixesOf({ ...facts.affixes, ...facts.fields.account }, message);
  const rendered = renderTest({ template: parsed.template, affixes, kind: facts.kind }, facts.fields);
  if (rendered.kind === 'text') return { ...rendered, kind: facts.kind };
  const isEmpty = rendered.reason === 'text_empty';
  throw new Problem('not-launchable', 'There is no text to send for this contact.', {
    errors: [
      {
        pointer: '/text',
        code: rendered.reason,
        message: isEmpty
          ? 'Write a text, or choose another contact.'
          : 'Shorten it: the mark of a test counts too.',
      },
    ],
  });
}
