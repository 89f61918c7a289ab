import { createCarillonClient, dataOf, followEvents } from '../client/index.ts';

// Follows a campaign until it rests, through broken connections and restarts of the API:
//   CARILLON_KEY=crl_... npx tsx examples/watch-live.ts cmp_...
const { CARILLON_URL: url = 'http://127.0.0.1:8080', CARILLON_KEY: key } = process.env;
const campaignId = process.argv[2];
if (key === undefined) throw new Error('CARILLON_KEY is not set: give the key that the first start printed.');
if (campaignId === undefined) throw new Error('Name the campaign to watch: watch-live.ts cmp_...');
const RESTING = ['draft', 'rejected', 'stopped', 'aborted', 'finished'];

const carillon = createCarillonClient({ url, key });
for await (const event of followEvents({ url, key }, { campaignId })) {
  if (event.kind === 'progress') console.log(`progress ${JSON.stringify(event.data)}`);
  else if (event.kind === 'status') console.log(`status ${String(event.data['to'])}`);
  // The stream tells what happens from now on; `ready` is the moment to look at what is.
  if (event.kind !== 'ready' && event.kind !== 'status') continue;
  const { status } = await dataOf(
    carillon.GET('/v1/campaigns/{id}', { params: { path: { id: campaignId } } }),
  );
  if (RESTING.includes(status)) {
    console.log(`It is ${status}.`);
    break;
  }
}
