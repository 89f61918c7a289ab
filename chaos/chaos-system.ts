import { startSystem, type System } from '../dev/launcher.ts';
import { inThrowawayHome } from '../dev/throwaway-home.ts';
import { type MoreWorkers, startMoreWorkers } from './more-workers.ts';

/** What is started for a run. */
export interface ChaosSystemOptions {
  /** All of them, the system's own included. */
  readonly workers: number;
  /** False where Temporal's data have to outlive its process. */
  readonly temporalInMemory: boolean;
  /** Where the carrier is another one than the sandbox. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Works with a whole fresh system and more workers; all of it is gone afterwards. */
export function withChaosSystem<Result>(
  options: ChaosSystemOptions,
  work: (system: System, more: MoreWorkers) => Promise<Result>,
): Promise<Result> {
  return inThrowawayHome('chaos', async (home) => {
    const system = await startSystem({
      home,
      ports: 'free',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
      temporalInMemory: options.temporalInMemory,
      progress: () => undefined,
    });
    try {
      const apiUrl = system.urls.sandbox ?? process.env['PLIVO_API_URL'] ?? '';
      const more = await startMoreWorkers(system, options.workers - 1, { apiUrl });
      try {
        return await work(system, more);
      } finally {
        await more.stop();
      }
    } finally {
      await system.stop();
    }
  });
}
