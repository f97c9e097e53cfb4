#!/bin/sh
# Starts the broker: kafka-server-start.sh FILE [--override KEY=VALUE]..., or says its version (--version).
home=$(cd "$(dirname "$0")/.." && pwd) || exit 1

: "${KAFKA_LOG4J_OPTS:=-Dlog4j2.configurationFile=$home/config/log4j2.yaml}"
: "${KAFKA_HEAP_OPTS:=-Xmx1G -Xms1G}"
export KAFKA_LOG4J_OPTS KAFKA_HEAP_OPTS

# The options are words.
# shellcheck disable=SC2086
exec "$home/bin/kafka-run-class.sh" ${EXTRA_ARGS--name kafkaServer -loggc} kafka.Kafka "$@"
