"""Rows of one city never point to rows of another: foreign keys that include the jurisdiction, held by the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db.migrations.operations import RunSQL


def same_city(table: str, column: str, target: str, *, deferrable: bool = True) -> RunSQL:
    """A migration step: `table.column` references `target.id` within the same jurisdiction.

    The model's own ForeignKey has `db_constraint=False`; the target needs `unique (jurisdiction_id, id)`
    (see `city_key`). A null column is not checked.
    """
    add, drop = _same_city(table, column, target, deferrable=deferrable)
    return RunSQL(sql=add, reverse_sql=drop)


def no_longer_row_by_row(table: str, column: str, target: str) -> RunSQL:
    """A migration step: the opposite of `same_city`, where `same_city_at_once` takes its place."""
    add, drop = _same_city(table, column, target, deferrable=True)
    return RunSQL(sql=drop, reverse_sql=add)


def _same_city(table: str, column: str, target: str, *, deferrable: bool) -> tuple[str, str]:
    name = f"{table}_{column}_same_city"[:63]
    when = "DEFERRABLE INITIALLY DEFERRED" if deferrable else ""
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (jurisdiction_id, {column}) "
        f"REFERENCES {target} (jurisdiction_id, id) {when}",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
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


def never_removed(table: str, *, city: str = "jurisdiction_id", name: str = "") -> RunSQL:
    """A migration step: rows of `table` are never removed, and their id and city (its column is `city`) never change.

    `name` is that of the triggers, where the usual one is taken.
    """
    function = name or f"{table}_stays"
    return RunSQL(
        sql=f"""
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{table}: rows stay, with their id and city' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {function} BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE TRIGGER {function}_same BEFORE UPDATE ON {table} FOR EACH ROW
    WHEN ((OLD.{city}, OLD.id) IS DISTINCT FROM (NEW.{city}, NEW.id)) EXECUTE FUNCTION {function}();
CREATE TRIGGER {function}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}();
""",
        reverse_sql=f"""
DROP TRIGGER {function} ON {table}; DROP TRIGGER {function}_same ON {table};
DROP TRIGGER {function}_whole ON {table}; DROP FUNCTION {function}();
""",
    )


_BY_KEY = "SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off"


def same_city_at_once(table: str, references: dict[str, str], *, into: str = "") -> RunSQL:
    """A migration step: as `same_city` for every column of `references`, checked once a statement instead of once a row.

    An import writes thousands of rows at once that point to a hundred services: a foreign key looks each of them up, which was
    three fifths of the work. The targets must be `never_removed` or append-only: then what was seen stays, and no lock on
    it is needed. A null column is not checked; an update that leaves the columns alone costs nothing.
    `into` says in the triggers' name what is referenced when that is a table that grows as fast as this one; it is then always
    looked up by its key. (The planner keeps the plan it made when the table was small, which may read it whole.)
    """

    def missing(row: str) -> str:
        return " OR ".join(
            f"({row}.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {target} t"
            f" WHERE t.jurisdiction_id = {row}.jurisdiction_id AND t.id = {row}.{column}))"
            for column, target in references.items()
        )

    sentence = f"{table}: {', '.join(references)} must be of the row''s own city"
    function = f"{table}_{into}_same_city" if into else f"{table}_same_city"
    return _at_once(function, table, ["jurisdiction_id", *references], missing, sentence, plan=_BY_KEY if into else "")


def city_at_once(table: str, cities: str) -> RunSQL:
    """A migration step: `table.jurisdiction_id` references `cities.id`, checked once a statement instead of once a row.

    `cities` must be `never_removed`, see `same_city_at_once`.
    """

    def missing(row: str) -> str:
        return f"NOT EXISTS (SELECT 1 FROM {cities} t WHERE t.id = {row}.jurisdiction_id)"

    return _at_once(f"{table}_city", table, ["jurisdiction_id"], missing, f"{table}: there is no such city")


def _at_once(
    function: str, table: str, columns: Sequence[str], missing: Callable[[str], str], sentence: str, plan: str = ""
) -> RunSQL:
    """`missing` says in SQL of a row with the columns that what it points to is not there.

    With `plan`, settings of the planner, the check of added rows runs under them.
    """
    refuse = f"RAISE EXCEPTION '{sentence}' USING ERRCODE = 'foreign_key_violation';"
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return RunSQL(
        sql=f"""
CREATE FUNCTION {function}_added() RETURNS trigger LANGUAGE plpgsql {plan} AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT {", ".join(columns)} FROM added) a WHERE {missing("a")}) THEN
        {refuse}
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {function}_added AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION {function}_added();
CREATE FUNCTION {function}_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {missing("NEW")} THEN
        {refuse}
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {function}_changed AFTER UPDATE ON {table} FOR EACH ROW
    WHEN (ROW({old}) IS DISTINCT FROM ROW({new}))
    EXECUTE FUNCTION {function}_changed();
""",
        reverse_sql=f"""
DROP TRIGGER {function}_added ON {table}; DROP FUNCTION {function}_added();
DROP TRIGGER {function}_changed ON {table}; DROP FUNCTION {function}_changed();
""",
    )
