"""MinIO: a bucket, an object with bytes of all kinds, its metadata."""

from tests.live.catalog.case import Case
from tests.live.engine.images import MINIO_IMAGE
from tests.live.object_stage import path_with_minio

WRITE = """
import mlox
client = mlox.get("minio").client()
client.create_bucket(Bucket="features")
client.put_object(Bucket="features", Key="a/ü ?#&.bin", Body=bytes(range(256)) * 4096, Metadata={"of": "churn"})
"""
READ = """
import hashlib, mlox
found = mlox.get("minio").client().get_object(Bucket="features", Key="a/ü ?#&.bin")
print(hashlib.sha256(found["Body"].read()).hexdigest(), found["Metadata"])
"""

CASE = Case(WRITE, READ, images={"minio": MINIO_IMAGE}, path=path_with_minio)
