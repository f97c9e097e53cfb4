"""PostgreSQL: a table, a sequence, a large object."""

from tests.live.catalog.case import Case

WRITE = """
import mlox
with mlox.get("postgres").client() as db:
    db.execute("CREATE TABLE words (id serial PRIMARY KEY, word text, at timestamptz)")
    db.execute("INSERT INTO words (word, at) SELECT md5(i::text), to_timestamp(i) FROM generate_series(1, 5000) i")
    db.execute("SELECT lo_from_bytea(4711, '\\\\x00ff10')")
"""
READ = """
import mlox
with mlox.get("postgres").client() as db:
    print(db.execute("SELECT count(*), md5(string_agg(word || at, ',' ORDER BY id)) FROM words").fetchone())
    print(db.execute("SELECT lo_get(4711), nextval('words_id_seq') > 5000").fetchone())
"""

CASE = Case(WRITE, READ, images={"postgres": "postgres:15"})
