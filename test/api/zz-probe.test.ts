import { test } from 'vitest';
import { openApiWorld, routesOf } from './api-world.ts';
import { createThings } from './seeded-things.ts';
test('probe', async () => {
  const world = await openApiWorld();
  try {
    console.log(routesOf(world.document).map((r) => `${r.operation.operationId} ${r.method} ${r.path}`).join('\n'));
    console.log(await createThings(world, world.mine));
    const s = Date.now();
    console.log(await world.snapshot(), Date.now() - s);
  } finally { await world.close(); }
});
