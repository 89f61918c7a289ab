import { Client } from 'pg';

/** Works on a connection as the database's owner, who sees everything. */
export async function withOwner<Result>(
  databaseUrl: string,
  work: (owner: Client) => Promise<Result>,
): Promise<Result> {
  const owner = new Client({ connectionString: databaseUrl });
  // Whatever is asked of it is told that the server has gone; unheard, that would end the process.
  owner.on('error', () => undefined);
  await owner.connect();
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}
