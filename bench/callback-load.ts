import { createReadStream } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

// Posts prepared requests, a line of JSON each, over so many kept connections, one at a time on each of them, and may
// kill the server after so many answers. Prints how long it took, how late the answers were and which requests were
// answered by 200.
const [given = '{}'] = process.argv.slice(2);
const load = JSON.parse(given) as {
  readonly file: string;
  readonly port: number;
  readonly connections: number;
  readonly kill?: { readonly pid: number; readonly afterAnswers: number };
};

const requests: Buffer[] = [];
for await (const line of createInterface({ input: createReadStream(load.file) })) {
  requests.push(Buffer.from(JSON.parse(line) as string));
}

const HEAD_END = '\r\n\r\n';
const answered: number[] = [];
const latenciesMs: number[] = [];
let next = 0;
let others = 0;

/** Resolves when there is nothing more to post, or when the server has gone. */
function post(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(load.port, '127.0.0.1');
    socket.setNoDelay(true);
    let index = -1;
    let sentAt = 0;
    let answer = '';
    const send = (): void => {
      index = next++;
      const request = requests[index];
      if (request === undefined) {
        socket.end();
        return;
      }
      sentAt = performance.now();
      socket.write(request);
    };
    socket.once('connect', send);
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const head = answer.indexOf(HEAD_END);
      if (head < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1]);
      if (answer.length < head + HEAD_END.length + length) return;
      latenciesMs.push(performance.now() - sentAt);
      if (answer.startsWith('HTTP/1.1 200')) answered.push(index);
      else others += 1;
      answer = '';
      if (load.kill !== undefined && answered.length === load.kill.afterAnswers) {
        process.kill(load.kill.pid, 'SIGKILL');
      }
      send();
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });
}

const started = performance.now();
await Promise.all(Array.from({ length: load.connections }, post));
const ms = performance.now() - started;
latenciesMs.sort((one, other) => one - other);
process.stdout.write(
  JSON.stringify({
    ms,
    p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0,
    requests: requests.length,
    answered,
    others,
  }),
);
