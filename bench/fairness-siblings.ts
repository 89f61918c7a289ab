import type { ApiClient } from '../dev/demo/api-client.ts';
import type { SendingAccount } from '../dev/sending-account.ts';
import { until } from '../dev/until.ts';
import { ACKNOWLEDGEMENT } from '../domain/launch-check.ts';

/** A sub-account with whom of it is texted. */
export interface Sibling {
  readonly account: SendingAccount;
  readonly listId: string;
}

/** A parent whose preset has two sub-accounts. */
export interface Family {
  readonly parent: SendingAccount;
  readonly presetId: string;
  readonly few: Sibling;
  readonly many: Sibling;
}

interface PartBody {
  readonly status: string;
  readonly messages: readonly { readonly status: string; readonly endedAt: string | null }[];
}

interface AccountsBody {
  readonly items: readonly { readonly accountId: string; readonly campaignId: string | null }[];
}

interface LogBody {
  readonly items: readonly { readonly what: string; readonly at: string }[];
}

const PATIENCE_MS = 300_000;

/** Makes both sub-accounts of the parent, and a preset of them. */
export async function makeFamily(parent: SendingAccount, few: Sibling, many: Sibling): Promise<Family> {
  const put = (path: string, body: unknown) =>
    parent.operator.send('PUT', path, Buffer.from(JSON.stringify(body)), 'application/json');
  await put(`/v1/accounts/${parent.accountId}/central-send`, { enabled: true });
  for (const { account } of [few, many]) {
    await put(`/v1/accounts/${account.accountId}/parent`, { parentId: parent.accountId });
  }
  const preset = await parent.api.post<{ id: string }>('/v1/presets', { name: 'Both' });
  await parent.api.post(`/v1/presets/${preset.id}/pairs`, {
    pairs: [few, many].map(({ account, listId }) => ({ accountId: account.accountId, listId })),
  });
  return { parent, presetId: preset.id, few, many };
}

/**
 * Sends a central campaign to both. Milliseconds from when the small sub-account was handed its part to its last text, as
 * long as the large one is still being texted then; throws an Error if it is not.
 */
export async function sendToFamily({ parent, presetId, few, many }: Family): Promise<number> {
  const { api, personId } = parent;
  const { id } = await api.post<{ id: string }>('/v1/campaigns', {
    kind: 'central',
    name: `Central campaign ${performance.now()}`,
    presetId,
    ownerId: personId,
    purpose: 'informational',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  const path = `/v1/campaigns/${id}`;
  await api.post(`${path}/messages`, { text: 'Hi {{firstName}}, we open at nine today.' });
  const { token } = await api.post<{ token: string | null }>(`${path}/review`, { start: 'now' });
  await api.post(`${path}/launch`, { start: 'now', reviewToken: token });
  const partId = await partOf(api, path, few.account.accountId);
  const read = () => few.account.api.get<PartBody>(`/v1/campaigns/${partId}`);
  const part = await until(read, ({ messages }) => messages[0]?.status === 'sent', PATIENCE_MS);
  const ms = Date.parse(part.messages[0]?.endedAt ?? '') - (await handedOverAt(few.account.api, partId));
  const large = await many.account.api.get<PartBody>(
    `/v1/campaigns/${await partOf(api, path, many.account.accountId)}`,
  );
  if (large.status !== 'sending') throw new Error(`The large part is ${large.status}: give more rows.`);
  await api.post(`${path}/abort`, {});
  await until(
    () => api.get<{ status: string }>(path),
    ({ status }) => status === 'aborted',
    PATIENCE_MS,
  );
  return ms;
}

/** A part is launched when its central campaign is, which looks at everybody of all accounts before it hands over. */
async function handedOverAt(api: ApiClient, partId: string): Promise<number> {
  const { items } = await api.get<LogBody>(`/v1/campaigns/${partId}/log`);
  const handed = items.find(({ what }) => what === 'hand_over');
  if (handed === undefined) throw new Error('The part was not handed over.');
  return Date.parse(handed.at);
}

async function partOf(api: ApiClient, path: string, accountId: string): Promise<string> {
  const find = ({ items }: AccountsBody): string | null =>
    items.find((item) => item.accountId === accountId)?.campaignId ?? null;
  const accounts = await until(
    () => api.get<AccountsBody>(`${path}/accounts`),
    (body) => find(body) !== null,
    PATIENCE_MS,
  );
  return find(accounts) ?? '';
}
