import { createServer } from 'node:http';
import type { Worker } from '@temporalio/worker';

/** Tells an orchestrator whether a worker works. */
export interface WorkerHealth {
  readonly close: () => Promise<void>;
}

/** Answers every request with 200 while all of these poll for work, else with 503; it says nothing more. */
export async function serveWorkerHealth(
  workers: readonly Pick<Worker, 'getState'>[],
  address: { readonly host: string; readonly port: number },
): Promise<WorkerHealth> {
  const server = createServer((_request, response) => {
    const isWorking = workers.every((worker) => worker.getState() === 'RUNNING');
    response.writeHead(isWorking ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: isWorking ? 'ok' : 'stopping' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
