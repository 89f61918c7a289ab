import { createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { assertPortsFree, freePorts, PortTakenError, type WantedPort } from '../../dev/ports.ts';

function wanted(variable: string, port: number): WantedPort {
  return { variable, port, part: 'a part', host: '127.0.0.1' };
}

async function occupy(port: number): Promise<void> {
  const server = await new Promise<Server>((resolve) => {
    const listening = createServer().listen(port, '127.0.0.1', () => resolve(listening));
  });
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
}

describe('ports', () => {
  it('free ones are all different and free', async () => {
    const ports = await freePorts(20);
    expect(new Set(ports).size).toBe(20);
    await assertPortsFree(ports.map((port, index) => wanted(`P${index}`, port)));
  });

  it('free ones are none that a system gives to outgoing connections, which would take them before they are used', async () => {
    for (const port of await freePorts(50)) expect(port).toBeLessThan(32_768);
  });

  it('a taken one is named with the variable that changes it, each of them', async () => {
    const [first = 0, second = 0, third = 0] = await freePorts(3);
    await occupy(first);
    await occupy(third);
    const checked = assertPortsFree([
      wanted('PORT', first),
      wanted('SANDBOX_PORT', second),
      wanted('P3', third),
    ]);
    const error = await checked.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PortTakenError);
    expect(String(error)).toMatch(new RegExp(`Port ${first} .*set PORT to`));
    expect(String(error)).toMatch(new RegExp(`Port ${third} .*set P3 to`));
    expect(String(error)).not.toContain('SANDBOX_PORT');
  });

  it('one port for two parts is refused', async () => {
    const [port = 0] = await freePorts(1);
    await expect(assertPortsFree([wanted('PORT', port), wanted('SANDBOX_PORT', port)])).rejects.toThrow(
      /PORT and SANDBOX_PORT are both/,
    );
  });
});
