# syntax=docker/dockerfile:1
# One image for all processes of a deployment: API (the default), worker, migration and, to try things out, the sandbox.
ARG NODE_VERSION=22

# What the processes need and nothing that only checks, tests or runs on one machine. Temporal's core has no musl build.
FROM node:${NODE_VERSION}-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production NODE_OPTIONS=--enable-source-maps TZ=UTC HOST=0.0.0.0 PORT=8080
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json tsconfig.json config.ts keys.ts parent-watch.ts worker.ts worker-health.ts ./
COPY domain ./domain
COPY carrier ./carrier
COPY db ./db
COPY workflows ./workflows
COPY activities ./activities
COPY engine ./engine
COPY api ./api
USER node
EXPOSE 8080
# Of the API; docker-compose.yml gives the other processes theirs.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1, so that it gets the signal to stop.
CMD ["node", "--max-semi-space-size=64", "--import", "tsx", "api/server.ts"]
