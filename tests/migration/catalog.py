"""A schema as Postgres itself describes it, to compare two of them."""

from __future__ import annotations

from processor.postgres.connection import Connection

#: What the migrator keeps for itself, and what depends on the month of making.
_ASIDE = "relname NOT LIKE 'schema_version%' AND relname !~ '^entries_[0-9]{4}_[0-9]{2}'"

_QUERIES = {
    "tables": f"""
        SELECT relname, relkind, reloptions, pg_get_expr(relpartbound, oid), pg_get_partkeydef(oid),
            obj_description(oid, 'pg_class')
        FROM pg_class WHERE relnamespace = 'croupier'::regnamespace AND {_ASIDE}""",
    "columns": f"""
        SELECT relname, attname, attnum, format_type(atttypid, atttypmod), attnotnull, attidentity, attstorage,
            attcollation::regcollation::text, pg_get_expr(adbin, adrelid), col_description(c.oid, attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
        LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'croupier'::regnamespace AND attnum > 0 AND NOT attisdropped AND {_ASIDE}""",
    "constraints": f"""
        SELECT relname, conname, contype, pg_get_constraintdef(n.oid)
        FROM pg_constraint n JOIN pg_class c ON c.oid = conrelid
        WHERE relnamespace = 'croupier'::regnamespace AND {_ASIDE}""",
    "indexes": f"""
        SELECT relname, pg_get_indexdef(indexrelid)
        FROM pg_index JOIN pg_class c ON c.oid = indexrelid
        WHERE relnamespace = 'croupier'::regnamespace AND {_ASIDE}""",
    "triggers": f"""
        SELECT relname, tgname, tgenabled, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
        WHERE relnamespace = 'croupier'::regnamespace AND NOT tgisinternal AND {_ASIDE}""",
    "functions": """
        SELECT proname, pg_get_functiondef(oid), obj_description(oid, 'pg_proc')
        FROM pg_proc WHERE pronamespace = 'croupier'::regnamespace""",
    "views": """
        SELECT viewname, definition FROM pg_views WHERE schemaname = 'croupier'""",
}


async def describe(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Everything of the schema `croupier`, by kind, in a stable order."""
    found = {}
    for kind, query in _QUERIES.items():
        rows = [tuple(row) for row in await connection.fetch(query)]
        assert rows, f"a schema without {kind} is none"
        found[kind] = sorted(rows, key=repr)
    return found
