#!/bin/sh
# Runs what is executable in /docker-entrypoint.d before the server, in the order of versions (contract: README.md).
set -e

say() {
    [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"
}

if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
    for file in $(find /docker-entrypoint.d/ -follow -type f | sort -V); do
        if [ ! -x "$file" ]; then
            say "Ignoring $file"
            continue
        fi
        case "$file" in
            *.envsh) . "$file" ;;
            *.sh) "$file" ;;
            *) say "Ignoring $file" ;;
        esac
    done
    say 'Configuration complete; ready for start up'
fi
exec "$@"
