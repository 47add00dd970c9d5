# A worker of Millrace: node-rdkafka built with every codec and authentication that brokers use, and the topologies.
FROM node:24-bookworm-slim AS modules
# Debian keeps only the newest version of a package, so none is pinned.
# hadolint ignore=DL3008
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    ca-certificates g++ libsasl2-dev libssl-dev libzstd-dev make python3 zlib1g-dev \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Node's headers are in the image. This layer, which compiles for minutes, is built again only with the lock file.
RUN --mount=type=cache,target=/root/.npm \
  npm ci --omit=dev --ignore-scripts && npm_config_nodedir=/usr/local npm rebuild node-rdkafka
COPY native ./native
# Of node-rdkafka, the sources and objects go, and the shared libraries in build/deps stay; of rocksdb-native, the builds
# for other systems go. The package rocksdb does not run on this Node. The maps of the SQL parser are larger than all its code.
RUN npm_config_nodedir=/usr/local npm run install && test -f native/build/Release/packed_reader.node \
  && rm -r node_modules/rocksdb node_modules/node-rdkafka/deps node_modules/node-rdkafka/build/Release/obj.target \
    node_modules/node-rdkafka/build/deps/*.a node_modules/node-sql-parser/umd \
  && find node_modules/node-sql-parser -name '*.map' -delete \
  && prebuilds=node_modules/rocksdb-native/prebuilds \
  && this="$prebuilds/$(node -p 'process.platform+"-"+process.arch')" \
  && find "$prebuilds" -mindepth 1 -maxdepth 1 ! -path "$this" -exec rm -r {} +

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim
# tini is process 1: it passes signals on, and reaps what a killed stream process leaves behind.
# hadolint ignore=DL3008
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    ca-certificates libatomic1 libsasl2-2 libsasl2-modules libssl3 libzstd1 tini zlib1g \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=modules /app/node_modules ./node_modules
COPY --from=modules /app/native/build/Release/packed_reader.node ./native/build/Release/
COPY --from=build /app/dist ./dist
COPY package.json tsconfig.json ./
COPY schemas ./schemas
COPY topologies ./topologies
# Stores can be restored from their changelogs: a volume here only makes a restart quicker.
RUN mkdir /var/lib/millrace && chown 1000:1000 /var/lib/millrace
# Health and metrics are for the orchestrator and Prometheus, which come from outside of the container.
ENV NODE_ENV=production MILLRACE_STATE=/var/lib/millrace MILLRACE_HTTP=0.0.0.0:9095
EXPOSE 9095
VOLUME /var/lib/millrace
# By number, so that Kubernetes sees that it is not root.
USER 1000:1000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["node", "-e", \
  "fetch('http://127.0.0.1:' + process.env.MILLRACE_HTTP.split(':').pop() + '/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/tini", "--", "node", "dist/cli/main.js"]
CMD ["--help"]
