# Shiplog runs from its sources (Node strips the types); only the console is built. The first stage
# builds it, the second gets the packages, the third holds all and a user without rights.
#
#   docker build -t shiplog .
#   docker run -p 127.0.0.1:4000:4000 -v shiplog:/data shiplog
#
# compose.yaml has the rest. The server listens on every address of its container, so it needs
# tokens: without /data/tokens.json it says how to make one, and ends.

ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-trixie-slim AS console
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src/ui src/ui
RUN node node_modules/vite/bin/vite.js build src/ui --config src/ui/vite.config.ts

FROM node:${NODE_VERSION}-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:${NODE_VERSION}-trixie-slim
LABEL org.opencontainers.image.title="shiplog" \
      org.opencontainers.image.description="Deployment logs you can query and follow" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY src src
COPY --from=console /app/dist dist
RUN ln -s /app/bin/shiplog.js /usr/local/bin/shiplog \
 && install -d -o node -g node -m 0700 /data
USER node
ENV NODE_ENV=production \
    SHIPLOG_HOST=0.0.0.0 \
    SHIPLOG_PORT=4000 \
    SHIPLOG_DATA_DIR=/data \
    SHIPLOG_TOKENS_FILE=/data/tokens.json
VOLUME /data
EXPOSE 4000
# Whether the process answers. An Elasticsearch that is away is no reason to start this one anew:
# /readyz tells of that, to load balancers and to compose.yaml.
HEALTHCHECK --interval=10s --timeout=3s --start-period=90s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SHIPLOG_PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/shiplog.js"]
CMD ["serve"]
