"""What the database itself holds: a pair stays in its city, an order keeps its request and mark, and what was said stays said."""

from django.db import migrations

from loop311.kit.tenancy import append_only, never_removed, same_city

_SQL = """
CREATE FUNCTION workorders_order_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.reference, NEW.request_id, NEW.link_id) IS DISTINCT FROM (OLD.reference, OLD.request_id, OLD.link_id) THEN
        RAISE EXCEPTION 'work order %: link, request and mark are not edited', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.holds AND NOT OLD.holds THEN
        RAISE EXCEPTION 'work order %: it has ended; a new one is opened', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER workorders_order_holds BEFORE UPDATE ON workorders_order
    FOR EACH ROW EXECUTE FUNCTION workorders_order_holds();

CREATE FUNCTION workorders_outgoing_unedited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.order_id, NEW.event_id, NEW.kind, NEW.body, NEW.at)
       IS DISTINCT FROM (OLD.order_id, OLD.event_id, OLD.kind, OLD.body, OLD.at) THEN
        RAISE EXCEPTION 'outgoing %: what is to be said is not edited', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.said) IS DISTINCT FROM (OLD.ended_at, OLD.said) THEN
        RAISE EXCEPTION 'outgoing %: it was said, or dropped', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER workorders_outgoing_unedited BEFORE UPDATE ON workorders_outgoing
    FOR EACH ROW EXECUTE FUNCTION workorders_outgoing_unedited();
"""
_BACK = """
DROP TRIGGER workorders_order_holds ON workorders_order; DROP FUNCTION workorders_order_holds();
DROP TRIGGER workorders_outgoing_unedited ON workorders_outgoing; DROP FUNCTION workorders_outgoing_unedited();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("workorders", "0001_initial"),
        ("requests", "0009_usual_times"),
        ("accounts", "0002_city_rules"),
    ]

    operations = [
        same_city("workorders_link", "owner_id", "accounts_staffmember"),
        same_city("workorders_order", "link_id", "workorders_link"),
        same_city("workorders_order", "request_id", "requests_request"),
        same_city("workorders_outgoing", "order_id", "workorders_order"),
        same_city("workorders_incoming", "link_id", "workorders_link"),
        same_city("workorders_incoming", "order_id", "workorders_order"),
        same_city("workorders_call", "link_id", "workorders_link"),
        same_city("workorders_mismatch", "link_id", "workorders_link"),
        same_city("workorders_mismatch", "order_id", "workorders_order"),
        same_city("workorders_mismatch", "owner_id", "accounts_staffmember"),
        never_removed("workorders_link"),
        never_removed("workorders_order"),
        never_removed("workorders_outgoing"),
        append_only("workorders_incoming"),
        migrations.RunSQL(_SQL, _BACK),
    ]
