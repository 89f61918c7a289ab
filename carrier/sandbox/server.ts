import { onParentGone } from '../../parent-watch.ts';
import { createSandbox } from './sandbox.ts';

const { env } = process;
const host = env['SANDBOX_HOST'] ?? '127.0.0.1';
const port = Number(env['SANDBOX_PORT'] ?? 8090);
const publicUrl = env['PUBLIC_URL'];
const inboundUrl =
  env['SANDBOX_INBOUND_URL'] ??
  (publicUrl === undefined ? undefined : `${publicUrl}/callbacks/plivo/inbound/default`);
const sandbox = createSandbox({
  authId: env['PLIVO_AUTH_ID'] ?? 'sandbox',
  authToken: env['PLIVO_AUTH_TOKEN'] ?? 'sandbox',
  ...(env['SANDBOX_LEDGER_FILE'] === undefined ? {} : { ledgerFile: env['SANDBOX_LEDGER_FILE'] }),
  ...(inboundUrl === undefined ? {} : { inboundUrl }),
});
const { url } = await sandbox.listen({ host, port });

let isStopping = false;
const stop = (): void => {
  if (isStopping) return;
  isStopping = true;
  sandbox.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
onParentGone(stop);
process.stdout.write(`${JSON.stringify({ ready: true, url })}\n`);
