#!/bin/sh
# Writes each template with the variables of the environment filled in (contract: README.md).
set -e

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}

[ -d "$templates" ] || exit 0
known=$(env | sed -n "s/^\(${NGINX_ENVSUBST_FILTER:-}[A-Za-z0-9_]*\)=.*/\${\1}/p")
find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
    name=${template#"$templates"/}
    mkdir -p "$(dirname "$output/$name")"
    envsubst "$known" <"$template" >"$output/${name%"$suffix"}"
done
