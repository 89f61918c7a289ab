import { createServer } from 'node:http';

// A carrier that takes everything: answers each POST as Plivo does, and counts whom it was asked to text and how often.
// With the word `arrivals` it keeps when which text came, too.
let texts = 0;
let requests = 0;
const [port = '', keeps = ''] = process.argv.slice(2);
const arrivals: [text: string, at: number][] = [];
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method === 'GET') {
      response.end(JSON.stringify({ texts, requests, arrivals }));
      return;
    }
    requests += 1;
    const sent = JSON.parse(Buffer.concat(chunks).toString()) as { dst: string; text: string };
    const { dst, text } = sent;
    if (keeps === 'arrivals') arrivals.push([text, Date.now()]);
    const uuids = dst
      .split('<')
      .map(() => `00000000-0000-4000-8000-${String((texts += 1)).padStart(12, '0')}`);
    const body = JSON.stringify({ message: 'message(s) queued', message_uuid: uuids, api_id: 'sink' });
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
});
