# One image for every piece; the command says which one runs:
#   API       node dist/src/main.js                          (the default; migrates first unless MIGRATE=false)
#   migrate   node dist/src/database/migrate.cli.js
#   sandbox   node dist/sandbox/main.js
#   API keys  node dist/src/accounts/keys.cli.js create …
#   review    node dist/src/payments/review.cli.js
# Commands are in exec form and name node itself: npm would stand between Docker's SIGTERM and the process.

FROM node:24.19.0-bookworm-slim@sha256:a9f5f7c91a432850b2a8a7797adf5eadb6c733ceed61167806cee7ea7fbc29df AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No package needs an install script, here or below.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:24.19.0-bookworm-slim@sha256:a9f5f7c91a432850b2a8a7797adf5eadb6c733ceed61167806cee7ea7fbc29df AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Optional are only the binaries of the embedded PostgreSQL, 60 MB that a container has no use for.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24.19.0-bookworm-slim@sha256:a9f5f7c91a432850b2a8a7797adf5eadb6c733ceed61167806cee7ea7fbc29df
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
# Owned by root: the process can't change its own code.
COPY package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
# A replica that is up but should get no requests (no database, migrations pending, shutting down) is unhealthy.
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
