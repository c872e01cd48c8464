# docker build --tag uptime-monitor .
# docker run --volume uptime:/var/lib/uptime-monitor uptime-monitor                   # everything in one process
# docker run --env UPTIME__DATABASE__URL=postgres://… uptime-monitor worker           # one role; see docker-compose.yaml

FROM rust:1-bookworm AS builder
# librdkafka and OpenSSL are built from source. The image has all that; a smaller one may lack the last ones.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ gcc make perl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build

# The dependencies in a layer of their own, built for an empty program: it stays until Cargo.lock changes. Cargo wants to
# find every bench that Cargo.toml names.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches \
    && echo 'fn main() {}' >src/main.rs \
    && touch src/lib.rs \
    && sed -n '/^\[\[bench\]\]/,/^$/ s/^name = "\(.*\)"$/benches\/\1.rs/p' Cargo.toml | xargs touch \
    && cargo build --release --locked --lib --bins \
    && rm -r src benches

COPY . .
# Cargo goes by time stamps, and those of the sources may be older than the empty program's.
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --bin uptime-monitor

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/uptime-monitor --create-home uptime
COPY --from=builder /build/target/release/uptime-monitor /usr/local/bin/
USER uptime
# The embedded database is in ./data, unless UPTIME__DATABASE__URL names another.
WORKDIR /var/lib/uptime-monitor
VOLUME /var/lib/uptime-monitor
# For the health check, and for nobody outside the container.
ENV UPTIME__WEB__LISTEN=127.0.0.1:9180
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=8s --start-period=30s --retries=3 CMD ["uptime-monitor", "health"]
ENTRYPOINT ["uptime-monitor"]
CMD ["run"]
