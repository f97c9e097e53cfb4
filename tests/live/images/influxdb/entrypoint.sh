#!/bin/bash
# Starts the server as user influxdb, set up by DOCKER_INFLUXDB_INIT_... where it has no data (contract: README.md).
set -eo pipefail

case "${1:-}" in
    '' | -* | run) set -- influxd "$@" ;;
    influxd) ;;
    *) exec "$@" ;;
esac

export INFLUXD_BOLT_PATH="${INFLUXD_BOLT_PATH:-/var/lib/influxdb2/influxd.bolt}"
export INFLUXD_ENGINE_PATH="${INFLUXD_ENGINE_PATH:-/var/lib/influxdb2/engine}"
for name in USERNAME PASSWORD ADMIN_TOKEN; do
    file="DOCKER_INFLUXDB_INIT_${name}_FILE"
    [ ! -e "${!file}" ] || export "DOCKER_INFLUXDB_INIT_$name=$(<"${!file}")"
done

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$(dirname "$INFLUXD_BOLT_PATH")" "$INFLUXD_ENGINE_PATH"
    find "$(dirname "$INFLUXD_BOLT_PATH")" "$INFLUXD_ENGINE_PATH" /etc/influxdb2 ! -user influxdb -exec chown influxdb '{}' +
    exec gosu influxdb "$BASH_SOURCE" "$@"
fi

if [ "${DOCKER_INFLUXDB_INIT_MODE:-}" = setup ] && [ ! -e "$INFLUXD_BOLT_PATH" ]; then
    at="http://127.0.0.1:$INFLUXD_INIT_PORT"
    INFLUXD_HTTP_BIND_ADDRESS="127.0.0.1:$INFLUXD_INIT_PORT" influxd &
    server=$!
    for ((tries = 0; tries < INFLUXD_INIT_PING_ATTEMPTS; tries++)); do
        curl --silent --fail --output /dev/null "$at/health" && break
        kill -0 "$server"
        sleep 1
    done
    printf '{"username": "%s", "password": "%s", "org": "%s", "bucket": "%s", "token": "%s"}' \
        "$DOCKER_INFLUXDB_INIT_USERNAME" "$DOCKER_INFLUXDB_INIT_PASSWORD" "$DOCKER_INFLUXDB_INIT_ORG" \
        "$DOCKER_INFLUXDB_INIT_BUCKET" "${DOCKER_INFLUXDB_INIT_ADMIN_TOKEN:-}" |
        curl --silent --show-error --fail --output /dev/null --data-binary @- "$at/api/v2/setup"
    kill "$server"
    wait "$server" || true
fi
exec "$@"
