import { createServer } from 'node:http';

// A carrier that takes everything: answers each POST as Plivo does, and counts whom it was asked to text and how often.
let texts = 0;
let requests = 0;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method === 'GET') {
      response.end(JSON.stringify({ texts, requests }));
      return;
    }
    requests += 1;
    const { dst } = JSON.parse(Buffer.concat(chunks).toString()) as { dst: string };
    const uuids = dst
      .split('<')
      .map(() => `00000000-0000-4000-8000-${String((texts += 1)).padStart(12, '0')}`);
    const body = JSON.stringify({ message: 'message(s) queued', message_uuid: uuids, api_id: 'sink' });
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
const [port = ''] = process.argv.slice(2);
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
});
