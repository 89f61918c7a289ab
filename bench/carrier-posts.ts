import { createPlivoCarrier } from '../carrier/plivo/plivo-carrier.ts';

// Posts as many texts as are wanted through the carrier's client and nothing else, so many at once.
const [apiUrl = '', countGiven = '', requestsAtOnce = '', callbackUrl = ''] = process.argv.slice(2);
const count = Number(countGiven);
const carrier = createPlivoCarrier({ authId: 'MAXXXXXXXXXXXXXXXXXX', authToken: 'token', apiUrl });
let next = 0;

async function post(): Promise<void> {
  while (next < count) {
    const index = (next += 1);
    const answer = await carrier.send({
      from: '24365',
      to: [`+1${2_000_000_000 + index}`],
      text: `Hi Name${index}, our summer sale begins today.`,
      mediaUrls: [],
      callbackUrl: `${callbackUrl}/${index}`,
    });
    if (answer.kind !== 'accepted') throw new Error(`The sink answered ${answer.kind}.`);
  }
}

const started = performance.now();
await Promise.all(Array.from({ length: Number(requestsAtOnce) }, post));
process.stdout.write(`${JSON.stringify({ ms: performance.now() - started })}\n`);
await carrier.close();
