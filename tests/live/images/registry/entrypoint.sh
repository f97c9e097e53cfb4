#!/bin/sh
# Runs the registry: with its own words as they are, with a file of YAML as its configuration (contract: README.md).
case "$1" in
    *.yml | *.yaml) exec registry serve "$@" ;;
    serve | garbage-collect | help | -*) exec registry "$@" ;;
esac
exec "$@"
