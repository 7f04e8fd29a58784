"""Rows of one city never point to rows of another: foreign keys that include the jurisdiction, held by the database."""

from __future__ import annotations

from django.db.migrations.operations import RunSQL


def same_city(table: str, column: str, target: str, *, deferrable: bool = True) -> RunSQL:
    """A migration step: `table.column` references `target.id` within the same jurisdiction.

    The model's own ForeignKey has `db_constraint=False`; the target needs `unique (jurisdiction_id, id)`
    (see `city_key`). A null column is not checked.
    """
    name = f"{table}_{column}_same_city"[:63]
    when = "DEFERRABLE INITIALLY DEFERRED" if deferrable else ""
    return RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (jurisdiction_id, {column}) "
        f"REFERENCES {target} (jurisdiction_id, id) {when}",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def append_only(table: str, *, may_change: tuple[str, ...] = (), may_delete: bool = False) -> RunSQL:
    """A migration step: rows of `table` are never edited (but for `may_change` columns) nor deleted.

    Erasing a person is done by setting the columns of `may_change` to empty values.
    """
    function = f"{table}_is_append_only"
    kept = f"to_jsonb(NEW) - ARRAY[{', '.join(repr(c) for c in may_change)}]::text[]"
    was = f"to_jsonb(OLD) - ARRAY[{', '.join(repr(c) for c in may_change)}]::text[]"
    events = "UPDATE" if may_delete else "UPDATE OR DELETE"
    return RunSQL(
        sql=f"""
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND ({kept}) = ({was}) THEN RETURN NEW; END IF;
    RAISE EXCEPTION '{table}: rows are only added, never edited or removed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {function} BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE FUNCTION {function}_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{table}: rows are only added, never edited or removed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {function}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}_whole();
""",
        reverse_sql=f"""
DROP TRIGGER {function} ON {table}; DROP FUNCTION {function}();
DROP TRIGGER {function}_whole ON {table}; DROP FUNCTION {function}_whole();
""",
    )
