import { parse } from 'node:querystring';
import { fastify } from 'fastify';

// Fastify that reads the form of each callback and does nothing with it.
const [port = ''] = process.argv.slice(2);
const app = fastify();
app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
  done(null, parse(String(body))),
);
app.post('/callbacks/plivo/:account/:key/:post/:mac', () => ({ status: 'ok' }));
await app.listen({ host: '127.0.0.1', port: Number(port) });
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
