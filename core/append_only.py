"""Tables that are only ever added to: on PostgreSQL a trigger refuses UPDATE and DELETE, whoever asks.

SQLite, which serves one machine, has no such guard: there verify_journal and the anchors tell.
"""

from typing import Any

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION treeline_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def guard(*tables: str) -> migrations.RunPython:
    """A migration step that makes the tables append-only where the database can."""

    def forwards(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        schema_editor.execute(FUNCTION, params=None)
        for table in tables:
            name = schema_editor.quote_name(table)
            schema_editor.execute(
                f"CREATE TRIGGER treeline_append_only BEFORE UPDATE OR DELETE ON {name} "
                "FOR EACH ROW EXECUTE FUNCTION treeline_append_only()",
                params=None,
            )

    def backwards(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for table in tables:
                schema_editor.execute(f"DROP TRIGGER treeline_append_only ON {schema_editor.quote_name(table)}")

    return migrations.RunPython(forwards, backwards)
