/**
 * What Node is told for every process of ours; package.json's scripts, Dockerfile and docker-compose.yml say the same.
 * Nearly all that a worker or the API makes is short-lived, and with room for 64 MB of it the collector moves less of
 * it to where collecting is slow.
 */
export const NODE_FLAGS = ['--max-semi-space-size=64'] as const;
