import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './sleeper-activities.ts';

// A worker of bare workflows: one for workflows and short activities, one for posts, with as many slots.
const [address = ''] = process.argv.slice(2);
const connection = await NativeConnection.connect({ address });
const common = { connection, namespace: 'default', activities, shutdownGraceTime: 1_000 };
const control = await Worker.create({
  ...common,
  taskQueue: 'bare-control',
  workflowsPath: new URL('sleeper-workflows.ts', import.meta.url).pathname,
});
const dispatch = await Worker.create({
  ...common,
  taskQueue: 'bare-dispatch',
  maxConcurrentActivityTaskExecutions: 1_000,
});
process.once('SIGTERM', () => {
  for (const worker of [control, dispatch]) worker.shutdown();
});
const running = Promise.all([control.run(), dispatch.run()]);
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
await running;
await connection.close();
process.exit(0);
