#!/bin/sh
# Becomes the proxy, traced by Datadog where that is asked for (contract: README.md).
[ "$USE_DDTRACE" != true ] || exec env DD_TRACE_OPENAI_ENABLED=False ddtrace-run litellm "$@"
exec litellm "$@"
