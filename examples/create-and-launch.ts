import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createCarillonClient, dataOf } from '../client/index.ts';

// Imports contacts, writes a campaign, reviews it, launches what was reviewed and waits for its report:
//   CARILLON_URL=http://127.0.0.1:8080 CARILLON_KEY=crl_... npx tsx examples/create-and-launch.ts [contacts.csv]
const { CARILLON_URL: url = 'http://127.0.0.1:8080', CARILLON_KEY: key } = process.env;
if (key === undefined) throw new Error('CARILLON_KEY is not set: give the key that the first start printed.');
const file = process.argv[2] ?? fileURLToPath(new URL('contacts.csv', import.meta.url));
const POLL_MS = 500;

const carillon = createCarillonClient({ url, key });

const person = await dataOf(
  carillon.POST('/v1/people', { body: { name: 'Alex Rivera', address: 'alex@example.com' } }),
);
const { items: senders } = await dataOf(carillon.GET('/v1/senders'));
const approved = senders.find((sender) => sender.registration === 'approved');
const sender =
  approved ??
  (await dataOf(
    carillon.POST('/v1/senders', {
      body: { address: '24365', type: 'short_code', registration: 'approved', segmentsPerSecond: 100 },
    }),
  ));
const list = await dataOf(carillon.POST('/v1/lists', { body: { name: `Regulars of ${Date.now()}` } }));

// The import is announced first; its content follows as a stream of any size.
const { id: importId } = await dataOf(carillon.POST('/v1/imports', { body: { listIds: [list.id] } }));
await dataOf(
  carillon.PUT('/v1/imports/{id}/content', {
    params: { path: { id: importId } },
    headers: { 'content-type': 'text/csv' },
    body: await readFile(file, 'utf8'),
    bodySerializer: (text: unknown) => text as string,
  }),
);
for (;;) {
  const { status, rows } = await dataOf(
    carillon.GET('/v1/imports/{id}', { params: { path: { id: importId } } }),
  );
  if (status === 'failed') throw new Error('The import failed.');
  if (status === 'finished') {
    console.log(`Imported ${rows.imported} contacts; ${rows.refused} rows were refused.`);
    break;
  }
  await delay(POLL_MS);
}

const campaign = await dataOf(
  carillon.POST('/v1/campaigns', {
    body: {
      name: `Spring opening ${Date.now()}`,
      senderId: sender.id,
      ownerId: person.id,
      listIds: [list.id],
      purpose: 'marketing',
      acknowledgement:
        'I understand that I am required to obtain and store opt-in approval for every mobile number texted.',
    },
  }),
);
const path = { id: campaign.id };
await dataOf(
  carillon.POST('/v1/campaigns/{id}/messages', {
    params: { path },
    body: {
      text: '{{account.senderName}}: Hi {{firstName|there}}, we open again on Saturday. Reply STOP to opt out',
    },
  }),
);

const review = await dataOf(
  carillon.POST('/v1/campaigns/{id}/review', { params: { path }, body: { start: 'now' } }),
);
for (const { message } of review.refusals) console.log(`Refused: ${message}`);
if (review.token === null) throw new Error('The campaign cannot be launched now; see above.');
console.log(
  `It would text ${review.recipients} people in ${review.segments} segments for ${review.cost.amountMicro / 1e6} ${review.cost.currency}.`,
);

// A launch that the connection loses may be sent again: the same key makes it the same launch.
await dataOf(
  carillon.POST('/v1/campaigns/{id}/launch', {
    params: { path, header: { 'Idempotency-Key': `launch-${campaign.id}` } },
    body: { start: 'now', reviewToken: review.token },
  }),
);
// Whoever has been texted is known within seconds; the carrier's last reports are awaited for ten minutes.
let told = '';
for (;;) {
  const { status, report } = await dataOf(carillon.GET('/v1/campaigns/{id}', { params: { path } }));
  if (report === null) throw new Error('Only a central campaign has no report of its own.');
  const now = `${status}: ${report.accepted} accepted, ${report.delivered} delivered, ${report.awaitingReport} without a report.`;
  if (now !== told) console.log(now);
  told = now;
  if (status === 'finished') {
    console.log(`Finished: ${report.accepted} accepted, ${report.unknown} unknown.`);
    console.log(campaign.id);
    break;
  }
  await delay(POLL_MS);
}
