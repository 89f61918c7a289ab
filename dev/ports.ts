import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/** A port that a part is to listen on, with the variable that changes it. */
export interface WantedPort {
  readonly variable: string;
  readonly port: number;
  readonly part: string;
  readonly host: string;
}

/** The ports are not all free; the message names each, and the variable to change. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

/** Throws a PortTakenError unless each port is free. Says all that is wrong at once. */
export async function assertPortsFree(wanted: readonly WantedPort[]): Promise<void> {
  const problems: string[] = [];
  for (const { variable, port, part, host } of wanted) {
    const twin = wanted.find((other) => other.port === port && other.variable !== variable);
    if (twin !== undefined) {
      problems.push(`${variable} and ${twin.variable} are both ${port}. Give each a port of its own.`);
    } else if (!(await isFree(host, port))) {
      problems.push(
        `Port ${port} (${part}) is taken by another process. End it, or set ${variable} to a free port.`,
      );
    }
  }
  if (problems.length > 0) throw new PortTakenError([...new Set(problems)].join('\n'));
}

/**
 * Between what needs rights and what systems give to outgoing connections (from 32,768 on with Linux, 49,152 elsewhere):
 * a port that such a connection takes between being found and being listened on would be lost.
 */
const PORT_MIN = 10_000;
const PORT_MAX = 32_767;
const TRIES_MAX = 100;

/** As many different free ports on 127.0.0.1 as asked for. They are free when this returns, not kept. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held until the last is found, else one port could be handed out twice.
  const servers: Server[] = [];
  try {
    for (let tries = 0; servers.length < count; tries += 1) {
      if (tries === count * TRIES_MAX) throw new PortTakenError('No free port was found on 127.0.0.1.');
      const server = await listen('127.0.0.1', randomInt(PORT_MIN, PORT_MAX + 1)).catch(unlessTaken);
      if (server !== null) servers.push(server);
    }
    return servers.map(portOf);
  } finally {
    await Promise.all(servers.map(close));
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A listener has no port.');
  return address.port;
}

function unlessTaken(error: unknown): null {
  if (isTaken(error)) return null;
  throw error;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

async function isFree(host: string, port: number): Promise<boolean> {
  try {
    await close(await listen(host, port));
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PortTakenError(`Nothing can listen on ${host} port ${port}: ${reason}.`, { cause: error });
  }
}

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}
