import type { Child } from '../dev/child.ts';
import type { System } from '../dev/launcher.ts';
import { startService } from '../dev/service.ts';

/** Starts workers beside the system's own, on the same database and engine. Resolves with how to end them. */
export async function startMoreWorkers(
  system: System,
  count: number,
): Promise<{ readonly stop: () => Promise<void> }> {
  const { urls, home } = system;
  if (urls.sandbox === undefined) throw new Error('More workers need the sandbox carrier of the system.');
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    DATABASE_URL: urls.database,
    TEMPORAL_ADDRESS: urls.temporalAddress,
    CARRIER: 'sandbox',
    PLIVO_API_URL: urls.sandbox,
    PUBLIC_URL: urls.api,
    CARILLON_HOME: home,
    TZ: 'UTC',
  };
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
  };
  try {
    for (let index = 1; index <= count; index += 1) {
      const slug = `worker-${index}`;
      const service = { name: `Worker ${index}`, slug, script: 'worker.ts', home, env };
      children.push(await startService(service, { env: {}, signal: new AbortController().signal }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}
