"""One merges only into a resident who stands for oneself, so that following a merge always ends; consent is not rewritten."""

from django.db import migrations

from loop311.kit.tenancy import append_only

_SQL = """
CREATE FUNCTION residents_merge_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.merged_into_id IS NOT DISTINCT FROM OLD.merged_into_id THEN RETURN NEW; END IF;
    PERFORM 1 FROM residents_resident r WHERE r.jurisdiction_id = NEW.jurisdiction_id AND r.id = NEW.merged_into_id
        AND r.merged_into_id IS NULL AND r.erased_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'resident %: can only be merged into one who stands for himself', NEW.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER residents_merge_holds BEFORE INSERT OR UPDATE OF merged_into_id ON residents_resident
    FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL) EXECUTE FUNCTION residents_merge_holds();
"""
_BACK = "DROP TRIGGER residents_merge_holds ON residents_resident; DROP FUNCTION residents_merge_holds();"


class Migration(migrations.Migration):
    dependencies = [("residents", "0003_search_and_merging")]

    operations = [migrations.RunSQL(_SQL, _BACK), append_only("residents_consent")]
