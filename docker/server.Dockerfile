# Image of the API server and of the TypeScript worker; the command says which.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed: the native packages come prebuilt.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY config config
COPY errors errors
COPY graph-schema graph-schema
COPY graph-store graph-store
COPY kv kv
COPY ingestion ingestion
COPY server server
COPY client client
COPY docker/prebuild.ts docker/check-server.mjs docker/check-worker.mjs docker/
# Bundled here, so that a container neither needs the tools for it nor waits for them.
RUN node --import tsx docker/prebuild.ts && rm docker/prebuild.ts && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app ./
# A new named volume takes over the owner of the folder that it is mounted on.
RUN mkdir -p /data/kv /data/lineage-inbox /data/metadata && chown -R node:node /data
USER node
EXPOSE 4000
CMD ["node", "--max-semi-space-size=64", "--import", "tsx", "server/main.ts"]
