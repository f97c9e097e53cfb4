#!/bin/sh
# Runs a class of Kafka's with the jars beside it: kafka-run-class.sh [-name NAME] [-loggc] CLASS ARGUMENTS...
# It takes the variables of upstream's script, and their defaults. Tools write their log to standard error alone.
home=$(cd "$(dirname "$0")/.." && pwd) || exit 1

while :; do
    case "${1:-}" in
        -name) shift 2 ;;
        -loggc) shift ;;
        *) break ;;
    esac
done

: "${LOG_DIR:=$home/logs}"
: "${KAFKA_HEAP_OPTS:=-Xmx256M}"
: "${KAFKA_LOG4J_OPTS:=-Dlog4j2.configurationFile=$home/config/tools-log4j2.yaml}"
: "${KAFKA_JMX_OPTS:=-Dcom.sun.management.jmxremote=true -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false}"
: "${KAFKA_JVM_PERFORMANCE_OPTS:=-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true}"

# The options are words, none of them with a blank.
# shellcheck disable=SC2086
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS $KAFKA_JMX_OPTS \
    "-Dkafka.logs.dir=$LOG_DIR" $KAFKA_LOG4J_OPTS -cp "${CLASSPATH:+$CLASSPATH:}$home/libs/*" ${KAFKA_OPTS:-} "$@"
