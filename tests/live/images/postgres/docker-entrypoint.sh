#!/usr/bin/env bash
# Starts PostgreSQL as user postgres, after making a cluster in $PGDATA where there is none (contract: README.md).
set -Eeuo pipefail

refuse() { printf 'error: %s\n' "$*" >&2; exit 1; }

# setting NAME DEFAULT: $NAME, or what the file $NAME_FILE holds, or the default; exported, and the file's name forgotten.
setting() {
    local name=$1 file=${1}_FILE
    [[ -z ${!name:-} || -z ${!file:-} ]] || refuse "$name and $file are both set"
    local value=${2:-}
    if [[ -n ${!name:-} ]]; then value=${!name}; elif [[ -n ${!file:-} ]]; then value=$(<"${!file}"); fi
    export "$name=$value"
    unset "$file"
}

own() { # own FOLDER: where root runs this, what is in the folder becomes the server's
    [[ $(id -u) != 0 ]] || find "$1" ! -user postgres -exec chown postgres '{}' +
}

folders() {
    mkdir -p "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA" || true
    chmod 3775 /var/run/postgresql 2>/dev/null || true
    own "$PGDATA"
    own /var/run/postgresql
    [[ -n ${POSTGRES_INITDB_WALDIR:-} ]] || return 0
    mkdir -p "$POSTGRES_INITDB_WALDIR"
    own "$POSTGRES_INITDB_WALDIR"
    chmod 700 "$POSTGRES_INITDB_WALDIR"
}

# initdb looks its user up: `--user` may be one that /etc/passwd does not know.
name_user() {
    local library uid gid
    uid=$(id -u) gid=$(id -g)
    getent passwd "$uid" >/dev/null && return 0
    for library in /usr/lib/*/libnss_wrapper.so; do
        [[ -s $library ]] || continue
        NSS_WRAPPER_PASSWD=$(mktemp) NSS_WRAPPER_GROUP=$(mktemp)
        echo "postgres:x:$uid:$gid:PostgreSQL:$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
        echo "postgres:x:$gid:" >"$NSS_WRAPPER_GROUP"
        export LD_PRELOAD=$library NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
    done
}

forget_user() {
    [[ -n ${NSS_WRAPPER_PASSWD:-} ]] || return 0
    rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"
    unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

make_cluster() {
    local wal=()
    [[ -z ${POSTGRES_INITDB_WALDIR:-} ]] || wal=(--waldir "$POSTGRES_INITDB_WALDIR")
    name_user
    # The arguments are the user's own words with the shell's quotes, as upstream has it.
    eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") $POSTGRES_INITDB_ARGS" \
        '"${wal[@]}"'
    forget_user
}

admit_network() { # a password for whoever comes over the network, by the method that the cluster keeps passwords in
    local method=${POSTGRES_HOST_AUTH_METHOD:-}
    [[ -n $method ]] || method=$(postgres -C password_encryption "${@:2}")
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

sql() {
    local database=()
    [[ -z ${POSTGRES_DB:-} ]] || database=(--dbname "$POSTGRES_DB")
    PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc \
        "${database[@]}" "$@"
}
docker_process_sql() { sql "$@"; } # the name that sourced scripts of users call

make_database() {
    local there
    there=$(POSTGRES_DB='' sql --dbname postgres --set db="$POSTGRES_DB" --tuples-only \
        <<<"SELECT 1 FROM pg_database WHERE datname = :'db';")
    [[ -n $there ]] || POSTGRES_DB='' sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
}

run_scripts() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        [[ -e $file ]] || continue
        case $file in
            *.sh) if [[ -x $file ]]; then "$file"; else . "$file"; fi ;;
            *.sql) sql -f "$file" ;;
            *.sql.gz) gunzip -c "$file" | sql ;;
            *.sql.xz) xzcat "$file" | sql ;;
            *.sql.zst) zstd -dc "$file" | sql ;;
            *) echo "ignored: $file" ;;
        esac
    done
}

initialise() { # with a server that listens on its socket alone
    ls /docker-entrypoint-initdb.d/ >/dev/null
    make_cluster
    admit_network "$@"
    export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -w start \
        -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p "${PGPORT:-5432}")"
    make_database
    run_scripts
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    echo 'PostgreSQL init process complete; ready for start up.'
}

asks_for_help() {
    local word
    for word; do
        case $word in '-?' | --help | --describe-config | -V | --version) return 0 ;; esac
    done
    return 1
}

[[ ${1:-} != -* ]] || set -- postgres "$@"
if [[ ${1:-} == postgres ]] && ! asks_for_help "$@"; then
    if [[ $(id -u) == 0 ]]; then
        folders
        exec gosu postgres "$BASH_SOURCE" "$@"
    fi
    setting POSTGRES_PASSWORD
    setting POSTGRES_USER postgres
    setting POSTGRES_DB "$POSTGRES_USER"
    setting POSTGRES_INITDB_ARGS
    folders
    if [[ -s $PGDATA/PG_VERSION ]]; then
        echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
    else
        [[ -n $POSTGRES_PASSWORD || ${POSTGRES_HOST_AUTH_METHOD:-} == trust ]] ||
            refuse 'Database is uninitialized and superuser password is not specified: set POSTGRES_PASSWORD.'
        initialise "$@"
    fi
fi
exec "$@"
