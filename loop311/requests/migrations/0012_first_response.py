"""The date of the first response is a promise like the other: in the request's row it stands as promised, or not at all."""

from django.db import migrations

_SQL = """
CREATE FUNCTION requests_request_first_response() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM requests_promise p WHERE p.jurisdiction_id = NEW.jurisdiction_id
                   AND p.request_id = NEW.id AND p.step = 'first_response' AND p.due_at = NEW.first_response_due_at) THEN
        RAISE EXCEPTION 'request %: a due date changes only by a new promise', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_request_first_response BEFORE UPDATE OF first_response_due_at ON requests_request
    FOR EACH ROW WHEN (NEW.source = '' AND NEW.first_response_due_at IS DISTINCT FROM OLD.first_response_due_at)
    EXECUTE FUNCTION requests_request_first_response();
"""

_BACK = """
DROP TRIGGER requests_request_first_response ON requests_request;
DROP FUNCTION requests_request_first_response();
"""


class Migration(migrations.Migration):
    dependencies = [("requests", "0011_enclosure")]

    operations = [migrations.RunSQL(_SQL, _BACK)]
