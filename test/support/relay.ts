import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a PostgreSQL server. */
export interface Relay {
  readonly url: string;
  /** From now on the server's answers are kept back until what the client has sent since is enough. */
  readonly withhold: () => void;
  readonly close: () => Promise<void>;
}

/** A relay to the server of this address; `isEnough` sees all that was sent since `withhold`. */
export async function relayTo(serverUrl: string, isEnough: (sent: string) => boolean): Promise<Relay> {
  const target = new URL(serverUrl);
  const sockets: Socket[] = [];
  let withheld: Buffer[] | null = null;
  let sent = '';
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    sockets.push(client, upstream);
    client.on('data', (data) => {
      upstream.write(data);
      sent += data.toString('latin1');
      if (withheld !== null && isEnough(sent)) {
        client.write(Buffer.concat(withheld));
        withheld = null;
      }
    });
    upstream.on('data', (data) => {
      if (withheld === null) client.write(data);
      else withheld.push(data);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The relay has no port.');
  const url = new URL(serverUrl);
  url.port = String(address.port);
  url.hostname = '127.0.0.1';
  return {
    url: url.href,
    withhold: () => {
      sent = '';
      withheld = [];
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
