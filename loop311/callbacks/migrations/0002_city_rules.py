"""What the database itself holds: a call-back ends once, fails only after two ways were tried, and its window stays."""

from django.db import migrations

from loop311.callbacks.policies import CHANNELS_BEFORE_FAILED, SPOKEN_TO
from loop311.kit.tenancy import append_only, same_city

_SPOKEN_TO = ", ".join(f"'{outcome}'" for outcome in sorted(SPOKEN_TO))

_SQL = f"""
CREATE FUNCTION callbacks_callback_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <= OLD.version THEN
        RAISE EXCEPTION 'call-back %: every change raises the version', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.window_start <> OLD.window_start OR NEW.window_end <> OLD.window_end OR NEW.resident_id <> OLD.resident_id
       OR NEW.interaction_id <> OLD.interaction_id OR NEW.jurisdiction_id <> OLD.jurisdiction_id THEN
        RAISE EXCEPTION 'call-back %: what was promised is not edited', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'open' AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'call-back %: it has ended', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'failed' AND OLD.state = 'open' AND (
        SELECT count(DISTINCT a.way) FROM callbacks_attempt a WHERE a.jurisdiction_id = NEW.jurisdiction_id
        AND a.callback_id = NEW.id) < {CHANNELS_BEFORE_FAILED} THEN
        RAISE EXCEPTION 'call-back %: nobody is out of reach before {CHANNELS_BEFORE_FAILED} ways were tried', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'kept' AND OLD.state = 'open' AND NOT EXISTS (
        SELECT 1 FROM callbacks_attempt a WHERE a.jurisdiction_id = NEW.jurisdiction_id
        AND a.callback_id = NEW.id AND a.outcome IN ({_SPOKEN_TO})) THEN
        RAISE EXCEPTION 'call-back %: it is kept only when the resident was spoken to', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER callbacks_callback_holds BEFORE UPDATE ON callbacks_callback
    FOR EACH ROW EXECUTE FUNCTION callbacks_callback_holds();

CREATE FUNCTION callbacks_callback_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.state <> 'open' THEN
        RAISE EXCEPTION 'a call-back begins open and is never removed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER callbacks_callback_begins BEFORE INSERT OR DELETE ON callbacks_callback
    FOR EACH ROW EXECUTE FUNCTION callbacks_callback_begins();
"""
_BACK = """
DROP TRIGGER callbacks_callback_holds ON callbacks_callback; DROP FUNCTION callbacks_callback_holds();
DROP TRIGGER callbacks_callback_begins ON callbacks_callback; DROP FUNCTION callbacks_callback_begins();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("callbacks", "0001_initial"),
        ("residents", "0002_city_rules"),
        ("requests", "0002_city_rules"),
        ("interactions", "0002_city_rules"),
        ("accounts", "0002_city_rules"),
    ]

    operations = [
        same_city("callbacks_callback", "resident_id", "residents_resident"),
        same_city("callbacks_callback", "request_id", "requests_request"),
        same_city("callbacks_callback", "interaction_id", "interactions_interaction"),
        same_city("callbacks_callback", "team_id", "accounts_team"),
        same_city("callbacks_callback", "owner_id", "accounts_staffmember"),
        same_city("callbacks_callback", "contact_point_id", "residents_contactpoint"),
        same_city("callbacks_attempt", "callback_id", "callbacks_callback"),
        same_city("callbacks_attempt", "contact_point_id", "residents_contactpoint"),
        append_only("callbacks_attempt"),
        migrations.RunSQL(_SQL, _BACK),
    ]
