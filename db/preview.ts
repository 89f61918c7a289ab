import { sql } from 'kysely';
import { purposeOf } from '../domain/content-check.ts';
import type { PreviewFacts } from '../domain/preview.ts';
import { fieldsWithoutFallback, parseTemplate } from '../domain/template.ts';
import type { Campaign } from './campaigns.ts';
import { findExampleAccount } from './central/example-account.ts';
import { contactKey } from './contacts.ts';
import { actAs, type Trx } from './database.ts';
import type { Message } from './messages.ts';

/** How many contacts of the lists a field's coverage is measured on. */
const COVERAGE_SAMPLE = 1_000;

interface Contact {
  readonly number: string;
  readonly country: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly custom: Record<string, string>;
}

/** For whom a message is shown. */
export interface Example {
  /** One of the lists' contacts unless told. */
  readonly contactId: string | null;
  /** Of a central campaign: in which sub-account, the first of its preset unless told. */
  readonly accountId: string | null;
}

/** What a message's preview depends on, or what of its example does not exist. */
export type PreviewRead =
  | { readonly kind: 'facts'; readonly facts: Omit<PreviewFacts, 'at'> }
  | { readonly kind: 'no_contact' | 'no_account' };

/** Everything that a message's preview depends on; of a central campaign in a sub-account, and never in the parent. */
export async function readPreviewFacts(
  trx: Trx,
  campaign: Campaign,
  message: Message,
  { contactId, accountId }: Example,
): Promise<PreviewRead> {
  const isCentral = campaign.kind === 'central' && campaign.centralId === null;
  if (!isCentral) {
    if (accountId !== null && accountId !== campaign.accountId) return { kind: 'no_account' };
    return readOwnFacts(trx, campaign, message, contactId);
  }
  const example = await findExampleAccount(trx, campaign, accountId);
  if (example === null) return { kind: 'no_account' };
  const own = { ...campaign, ...example, senderId: null };
  return actAs(trx, { from: campaign.accountId, to: example.accountId }, () =>
    readOwnFacts(trx, own, message, contactId),
  );
}

async function readOwnFacts(
  trx: Trx,
  campaign: Pick<Campaign, 'accountId' | 'senderId' | 'listIds' | 'purpose'>,
  message: Message,
  contactId: string | null,
): Promise<PreviewRead> {
  const account = await trx
    .selectFrom('accounts')
    .where('id', '=', campaign.accountId)
    .select(['name', 'sender_name', 'default_country', 'prefix', 'suffix'])
    .executeTakeFirstOrThrow();
  const sender =
    campaign.senderId === null
      ? undefined
      : await trx.selectFrom('senders').where('id', '=', campaign.senderId).select('type').executeTakeFirst();
  const sample = await contactsOf(trx, campaign);
  const contact = contactId === null ? sample[0] : await findContact(trx, contactId);
  if (contactId !== null && contact === undefined) return { kind: 'no_contact' };
  const facts: Omit<PreviewFacts, 'at'> = {
    text: message.text,
    kind: message.mediaIds.length > 0 ? 'mms' : 'sms',
    isFirst: message.position === 1,
    purpose: purposeOf(campaign.purpose),
    affixes: { prefix: account.prefix, suffix: account.suffix },
    usePrefix: message.usePrefix,
    useSuffix: message.useSuffix,
    fieldCoverage: coverageOf(message.text, sample),
    fields: {
      firstName: contact?.firstName ?? null,
      lastName: contact?.lastName ?? null,
      number: contact?.number ?? null,
      custom: contact?.custom ?? {},
      account: { name: account.name, senderName: account.sender_name },
    },
    country: contact?.country ?? account.default_country,
    senderType: sender?.type ?? 'long_code',
  };
  return { kind: 'facts', facts };
}

/** The share of the lists' contacts, by a sample, that have each field that a text uses without a fallback. */
export async function readFieldCoverage(
  trx: Trx,
  campaign: Campaign,
): Promise<(text: string) => Record<string, number>> {
  const sample = await contactsOf(trx, campaign);
  return (text) => coverageOf(text, sample);
}

async function contactsOf(trx: Trx, campaign: Pick<Campaign, 'listIds'>): Promise<Contact[]> {
  const rows = await sql<Contact>`
    select c.number, c.country, c.first_name as "firstName", c.last_name as "lastName", c.custom
    from list_members m join contacts c on c.id = m.contact_id
    where m.list_id = any(${[...campaign.listIds]}::text[])
    order by m.list_id, m.contact_id limit ${COVERAGE_SAMPLE}`.execute(trx);
  return rows.rows;
}

async function findContact(trx: Trx, id: string): Promise<Contact | undefined> {
  const key = contactKey(id);
  if (key === null) return undefined;
  return trx
    .selectFrom('contacts')
    .where('id', '=', key)
    .select(['number', 'country', 'first_name as firstName', 'last_name as lastName', 'custom'])
    .executeTakeFirst();
}

function coverageOf(text: string, sample: readonly Contact[]): Record<string, number> {
  const parsed = parseTemplate(text);
  if (parsed.kind === 'malformed' || sample.length === 0) return {};
  const coverage: Record<string, number> = {};
  for (const field of fieldsWithoutFallback(parsed.template)) {
    if (field.startsWith('account.')) continue;
    coverage[field] = sample.filter((contact) => has(contact, field)).length / sample.length;
  }
  return coverage;
}

function has(contact: Contact, field: string): boolean {
  if (field === 'firstName') return (contact.firstName ?? '') !== '';
  if (field === 'lastName') return (contact.lastName ?? '') !== '';
  if (field === 'number') return true;
  return (contact.custom[field.slice('custom.'.length)] ?? '') !== '';
}
