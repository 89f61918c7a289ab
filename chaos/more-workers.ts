import type { System } from '../dev/launcher.ts';
import { startService } from '../dev/service.ts';
import { type Part, supervise } from '../dev/supervisor.ts';

/** Workers beside the system's own. */
export interface MoreWorkers {
  readonly parts: readonly Part[];
  readonly stop: () => Promise<void>;
}

/** Starts workers on the system's database and engine; each is started again when it ends unasked. */
export async function startMoreWorkers(
  system: System,
  count: number,
  options: { readonly apiUrl: string; readonly progress?: (line: string) => void },
): Promise<MoreWorkers> {
  const { urls, home } = system;
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    DATABASE_URL: urls.database,
    TEMPORAL_ADDRESS: urls.temporalAddress,
    CARRIER: 'sandbox',
    PLIVO_API_URL: options.apiUrl,
    PUBLIC_URL: urls.api,
    CARILLON_HOME: home,
    TZ: 'UTC',
  };
  const parts = Array.from({ length: count }, (_, index) => {
    const name = `Worker ${index + 2}`;
    const service = { name, slug: `worker-${index + 2}`, script: 'worker.ts', home, env };
    return supervise({
      name,
      start: (start) => startService(service, start),
      progress: options.progress ?? (() => undefined),
    });
  });
  const stop = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.stop()));
  };
  try {
    for (const part of parts) await part.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { parts, stop };
}
