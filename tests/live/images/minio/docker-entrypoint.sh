#!/bin/sh
# Starts the server with these arguments, as MINIO_USERNAME where that is set (contract: README.md).
if [ "$1" != minio ] && [ -n "$1" ]; then
    set -- minio "$@"
fi
[ -n "$MINIO_USERNAME" ] && [ -n "$MINIO_GROUPNAME" ] || exec "$@"

if [ -z "$MINIO_UID" ] || [ -z "$MINIO_GID" ]; then
    echo "$MINIO_USERNAME:x:1000:1000:$MINIO_USERNAME:/:/sbin/nologin" >>/etc/passwd
    echo "$MINIO_GROUPNAME:x:1000:" >>/etc/group
fi
exec chroot --userspec="${MINIO_UID:-$MINIO_USERNAME}:${MINIO_GID:-$MINIO_GROUPNAME}" / "$@"
