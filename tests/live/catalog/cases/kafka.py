"""Kafka: a topic with keys, headers and bytes of all kinds, read from its beginning."""

from tests.live.catalog.case import Case
from tests.live.engine.images import KAFKA_IMAGE
from tests.live.kafka_stage import path_with_kafka

# Of now: Kafka removes what is older than seven days by its own time.
WRITE = """
import time, mlox
from kafka import KafkaProducer
producer = KafkaProducer(**mlox.get("kafka").client(), acks="all")
now = time.time_ns() // 1_000_000
for number in range(1000):
    key, value = str(number).encode(), bytes(range(256))
    producer.send("events", key=key, value=value, headers=[("of", b"churn")], timestamp_ms=now + number)
producer.flush()
"""
READ = """
import hashlib, mlox
from kafka import KafkaConsumer, TopicPartition
consumer = KafkaConsumer(**mlox.get("kafka").client(), auto_offset_reset="earliest")
events = TopicPartition("events", 0)
consumer.assign([events])
(last,) = consumer.end_offsets([events]).values()
digest, seen = hashlib.sha256(), 0
for event in consumer:
    digest.update(repr((event.offset, event.key, event.value, event.headers, event.timestamp)).encode())
    seen += 1
    if event.offset == last - 1:
        break
print(seen, digest.hexdigest())
"""

CASE = Case(WRITE, READ, packages=("kafka-python==3.0.12",), images={"kafka": KAFKA_IMAGE}, path=path_with_kafka)
