"""What a role of PostgreSQL lacks, as the statements that grant it.

Tables can be another role's, and in a schema that this one may not look into, where they would seem
not to be there. What is asked here every role may ask.
"""

from __future__ import annotations

import getpass
import os
import re
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from tiktok_crawler.storage.engine.revision import REVISION_TABLE
from tiktok_crawler.storage.models import METADATA, ledger
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.records import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Engine, Row
    from sqlalchemy.exc import DBAPIError

DENIALS = ("42501", "3F000")
"""insufficient_privilege, and invalid_schema_name: none may be used."""

APPENDED = frozenset(
    {
        "crawl",
        "crawls_to_query_tags",
        "database_origin",
        "effect",
        "hashtag",
        "notice",
        "query_tag",
        "query_value",
        "user_info_history",
        "video_revision",
        "videos_to_crawls",
        "videos_to_effect_ids",
        "videos_to_hashtags",
        "videos_to_query_tags",
    }
)
"""Tables whose rows a crawl never changes."""

THINNED = frozenset(
    {
        "crawl_window",
        "journal_mark",
        "notice",
        "videos_to_effect_ids",
        "videos_to_hashtags",
        "window_day",
        "worker",
    }
)
"""Tables whose rows can go in a crawl."""

WRITTEN = {
    name: ("SELECT", "INSERT")
    + ("UPDATE",) * (name not in APPENDED)
    + ("DELETE",) * (name in THINNED)
    for name in METADATA.tables
} | {REVISION_TABLE: ("SELECT",)}
"""What a crawl does with each table."""

LEDGER = [
    mapper.local_table.name  # type: ignore[attr-defined]
    for mapper in Base.registry.mappers
    if mapper.class_.__module__ == ledger.__name__
]

OURS = frozenset({*METADATA.tables, *VIEWS.tables, REVISION_TABLE})

SCHEMA = text(
    f"""
    SELECT namespace.oid, quote_ident(nspname) AS name, quote_ident(current_user) AS role,
        has_schema_privilege(namespace.oid, 'USAGE') AS is_usable,
        has_schema_privilege(namespace.oid, 'CREATE') AS is_open,
        EXISTS (
            SELECT FROM pg_class
            WHERE relnamespace = namespace.oid AND relname = '{REVISION_TABLE}'
        ) AS has_tables
    FROM regexp_matches(current_setting('search_path'), '"((?:[^"]|"")+)"|([^", ]+)', 'g')
        WITH ORDINALITY AS path (written, place)
    JOIN pg_namespace AS namespace ON nspname = CASE
        WHEN '$user' IN (written[1], written[2]) THEN current_user
        ELSE coalesce(replace(written[1], '""', '"'), lower(written[2]))
    END
    ORDER BY has_tables DESC, is_usable DESC, place
    LIMIT 1
    """  # noqa: S608 - the name of our own table
)
"""The schema that has the tables, or would get them."""

RELATIONS = text(
    """
    SELECT relname AS name, quote_ident(relname) AS quoted, ARRAY(
        SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
        WHERE NOT has_table_privilege(pg_class.oid, privilege)
    ) AS lacks
    FROM pg_class WHERE relnamespace = :schema AND relkind IN ('r', 'p', 'v') ORDER BY relname
    """
)

SEQUENCES = text(
    """
    SELECT quote_ident(sequence.relname) AS quoted,
        relation.relname = ANY (:names) AND NOT has_sequence_privilege(seqrelid, 'USAGE') AS lacks
    FROM pg_sequence JOIN pg_class AS sequence ON sequence.oid = seqrelid
    LEFT JOIN pg_depend ON objid = seqrelid AND deptype = 'a'
    LEFT JOIN pg_class AS relation ON relation.oid = refobjid
    WHERE sequence.relnamespace = :schema ORDER BY 1
    """
)

OWNER = text(
    """
    SELECT quote_ident(rolname) AS name, CASE WHEN NOT rolsuper THEN
        'GRANT ' || quote_ident(rolname) || ' TO ' || quote_ident(current_user)
    END AS membership
    FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
    WHERE relnamespace = :schema AND relname = ANY (:names) AND NOT pg_has_role(relowner, 'USAGE')
    """
)
"""Who may do what the owner may; a superuser may do anything, and is nothing to grant."""


def to_look(connection: Connection) -> list[str]:
    """What is lacking to see whether there are tables."""
    schema = _schema(connection)
    return _schema_grants(schema, creates=False) if schema else []


def to_tell_revision(connection: Connection) -> list[str]:
    """What is lacking to see of which revision the tables are."""
    schema = _schema(connection)
    if schema is None:
        return []
    reads = {REVISION_TABLE: ("SELECT",)}
    return [*to_look(connection), *_table_grants(connection, schema, reads)]


def to_write(connection: Connection) -> list[str]:
    """What is lacking to collect: into the tables that are there, or to make them."""
    schema = _schema(connection)
    if schema is None:
        return []
    if not schema.has_tables:
        return _schema_grants(schema, creates=True)
    return [
        *_schema_grants(schema, creates=False),
        *_table_grants(connection, schema, WRITTEN),
        *_sequence_grants(connection, schema, WRITTEN),
    ]


NOTED_IN = frozenset({"archive_removal", "kept_out", "removal", "worker"})
"""Tables that get rows by a deletion."""

DELETED_FROM = {
    name: ("SELECT", *("INSERT",) * (name in NOTED_IN), "UPDATE", "DELETE")
    for name in METADATA.tables
    if name not in ("api_quota", "api_quota_share", "crawl", "journal_mark", "notice")
} | {REVISION_TABLE: ("SELECT",)}
"""What a deletion does with each table."""


def to_delete(connection: Connection) -> list[str]:
    """What is lacking to delete records, and all that hangs on them."""
    schema = _schema(connection)
    if schema is None:
        return []
    return [
        *_schema_grants(schema, creates=False),
        *_table_grants(connection, schema, DELETED_FROM),
        *_sequence_grants(connection, schema, DELETED_FROM),
    ]


def to_make_tables(connection: Connection) -> list[str]:
    """What is lacking to make tables."""
    schema = _schema(connection)
    return _schema_grants(schema, creates=True) if schema else []


def other_owner(connection: Connection) -> Row[Any] | None:
    """The `name` of the role whose the tables are, and the grant of `membership` in it.

    None, if this role may change the tables.
    """
    schema = _schema(connection)
    named = {"schema": schema.oid, "names": list(OURS)} if schema else {}
    return connection.execute(OWNER, named).first() if schema else None


def after_denial(engine: Engine, error: DBAPIError) -> list[str]:
    """What is lacking to do what the server has denied; nothing, if it was something else."""
    if engine.dialect.name != "postgresql":
        return []
    code = getattr(error.orig, "pgcode", None)
    if code is None and "CONNECT" in str(error.orig):
        return [_connect_grant(engine)]
    if code not in DENIALS:
        return []
    with engine.connect() as connection:
        return _to_run(connection, error.statement or "")


def _to_run(connection: Connection, statement: str) -> list[str]:
    schema = _schema(connection)
    if schema is None:
        return []
    words = re.findall(r"\w+", statement)
    if "CREATE" in words:
        return _schema_grants(schema, creates=True)
    wanted = dict.fromkeys([REVISION_TABLE, *LEDGER, *OURS.intersection(words)], ("SELECT",))
    return [*_schema_grants(schema, creates=False), *_table_grants(connection, schema, wanted)]


def _connect_grant(engine: Engine) -> str:
    """Name what the server itself does not tell whom it has not let in."""
    quote = engine.dialect.identifier_preparer.quote
    role = engine.url.username or os.environ.get("PGUSER") or getpass.getuser()
    name = engine.url.database or os.environ.get("PGDATABASE") or role
    return f"GRANT CONNECT ON DATABASE {quote(name)} TO {quote(role)}"


def _schema(connection: Connection) -> Row[Any] | None:
    return connection.execute(SCHEMA).one_or_none()


def _schema_grants(schema: Row[Any], *, creates: bool) -> list[str]:
    lacks = ["USAGE"] * (not schema.is_usable) + ["CREATE"] * (creates and not schema.is_open)
    return [f"GRANT {', '.join(lacks)} ON SCHEMA {schema.name} TO {schema.role}"] if lacks else []


def _table_grants(
    connection: Connection, schema: Row[Any], wanted: Mapping[str, Sequence[str]]
) -> list[str]:
    """Name what is lacking for each table; for all at once, if nothing is granted yet."""
    relations = connection.execute(RELATIONS, {"schema": schema.oid}).all()
    if len(wanted) > 1 and all(one.name in OURS and "SELECT" in one.lacks for one in relations):
        privileges = dict.fromkeys(chain.from_iterable(wanted.values()))
        tables = {", ".join(privileges): [f"ALL TABLES IN SCHEMA {schema.name}"]}
    else:
        tables = defaultdict(list)
        for one in relations:
            if lacks := [each for each in wanted.get(one.name, ()) if each in one.lacks]:
                tables[", ".join(lacks)].append(f"{schema.name}.{one.quoted}")
    return [
        f"GRANT {privileges} ON {', '.join(names)} TO {schema.role}"
        for privileges, names in tables.items()
    ]


def _sequence_grants(
    connection: Connection, schema: Row[Any], wanted: Mapping[str, Sequence[str]]
) -> list[str]:
    """Name what is lacking to number the rows of the tables that get any."""
    names = [name for name, privileges in wanted.items() if "INSERT" in privileges]
    sequences = connection.execute(SEQUENCES, {"schema": schema.oid, "names": names}).all()
    lacking = [f"{schema.name}.{one.quoted}" for one in sequences if one.lacks]
    if not lacking:
        return []
    which = f"SEQUENCE {', '.join(lacking)}"
    if len(lacking) == len(sequences):
        which = f"ALL SEQUENCES IN SCHEMA {schema.name}"
    return [f"GRANT USAGE ON {which} TO {schema.role}"]
