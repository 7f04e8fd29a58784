"""The rules of requests that must hold even against a bug in the services. The state table is that of policies.TABLE."""

from django.db import migrations

from loop311.requests.policies import transitions

_ALLOWED = ", ".join(f"'{before}>{after}'" for before, after in sorted(transitions()))

_SQL = f"""
CREATE FUNCTION requests_request_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kinds jsonb;
BEGIN
    IF NEW.number <> OLD.number OR NEW.received_at <> OLD.received_at OR NEW.interaction_id <> OLD.interaction_id
       OR NEW.jurisdiction_id <> OLD.jurisdiction_id OR NEW.source <> OLD.source OR NEW.source_id <> OLD.source_id THEN
        IF NOT (OLD.source <> '' AND NEW.source = OLD.source AND NEW.source_id = OLD.source_id
                AND NEW.number = OLD.number AND NEW.jurisdiction_id = OLD.jurisdiction_id) THEN
            RAISE EXCEPTION 'request %: number, clock and first contact never change', OLD.number
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    IF NEW.version <= OLD.version THEN
        RAISE EXCEPTION 'request %: every change raises the version', OLD.number USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.source = '' AND NEW.state <> OLD.state
       AND OLD.state || '>' || NEW.state NOT IN ({_ALLOWED}) THEN
        RAISE EXCEPTION 'request %: % cannot become %', OLD.number, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.source = '' AND NEW.completion = '[]' THEN
        RAISE EXCEPTION 'request %: something must prove its end', OLD.number USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.evidence_after < OLD.evidence_after THEN
        RAISE EXCEPTION 'request %: evidence from before a dispute proves nothing after it', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.source = '' AND NEW.due_at IS DISTINCT FROM OLD.due_at AND NOT EXISTS (
        SELECT 1 FROM requests_promise p WHERE p.jurisdiction_id = NEW.jurisdiction_id AND p.request_id = NEW.id
        AND p.step = 'resolution' AND p.due_at = NEW.due_at) THEN
        RAISE EXCEPTION 'request %: a due date changes only by a new promise', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.source = '' AND NEW.state IN ('done', 'closed') AND NEW.state <> OLD.state AND OLD.state <> 'joined' THEN
        FOR kinds IN SELECT * FROM jsonb_array_elements(NEW.completion) LOOP
            IF NOT EXISTS (SELECT 1 FROM requests_evidence e WHERE e.jurisdiction_id = NEW.jurisdiction_id
                           AND e.request_id = NEW.id AND e.id > NEW.evidence_after AND kinds ? e.kind) THEN
                RAISE EXCEPTION 'request %: no end without the evidence %', OLD.number, kinds
                    USING ERRCODE = 'restrict_violation';
            END IF;
        END LOOP;
    END IF;
    IF NEW.source = '' AND OLD.state = 'joined' AND NEW.state IN ('closed', 'declined') AND NOT EXISTS (
        SELECT 1 FROM requests_request r WHERE r.jurisdiction_id = NEW.jurisdiction_id AND r.id = NEW.leading_id
        AND r.state IN ('closed', 'declined')) THEN
        RAISE EXCEPTION 'request %: a joined request ends only with its leading one', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_request_holds BEFORE UPDATE ON requests_request
    FOR EACH ROW EXECUTE FUNCTION requests_request_holds();

CREATE FUNCTION requests_request_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state NOT IN ('received', 'joined') THEN
        RAISE EXCEPTION 'a request begins as received or joined, not as %', NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.completion = '[]' THEN
        RAISE EXCEPTION 'something must prove the end of a request' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_request_begins BEFORE INSERT ON requests_request
    FOR EACH ROW WHEN (NEW.source = '') EXECUTE FUNCTION requests_request_begins();

CREATE FUNCTION requests_request_is_promised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM requests_promise p WHERE p.jurisdiction_id = NEW.jurisdiction_id
                   AND p.request_id = NEW.id AND p.step = 'resolution' AND p.due_at = NEW.due_at) THEN
        RAISE EXCEPTION 'request %: its due date is no promise', NEW.number USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER requests_request_is_promised AFTER INSERT ON requests_request
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.source = '')
    EXECUTE FUNCTION requests_request_is_promised();

CREATE FUNCTION requests_request_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a request is never removed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER requests_request_stays BEFORE DELETE ON requests_request
    FOR EACH ROW EXECUTE FUNCTION requests_request_stays();

CREATE FUNCTION requests_request_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.leading_id = NEW.id OR EXISTS (SELECT 1 FROM requests_request r WHERE r.jurisdiction_id = NEW.jurisdiction_id
               AND r.id = NEW.leading_id AND r.leading_id IS NOT NULL) THEN
        RAISE EXCEPTION 'request %: a leading request follows nobody', NEW.number USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM requests_request r WHERE r.jurisdiction_id = NEW.jurisdiction_id
               AND r.leading_id = NEW.id) THEN
        RAISE EXCEPTION 'request %: it leads others, so it cannot follow', NEW.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER requests_request_leads BEFORE INSERT OR UPDATE OF leading_id ON requests_request
    FOR EACH ROW WHEN (NEW.leading_id IS NOT NULL) EXECUTE FUNCTION requests_request_leads();
"""

_BACK = "".join(
    f"DROP TRIGGER {name} ON requests_request; DROP FUNCTION {name}();"
    for name in (
        "requests_request_holds",
        "requests_request_begins",
        "requests_request_is_promised",
        "requests_request_stays",
        "requests_request_leads",
    )
)


class Migration(migrations.Migration):
    dependencies = [("requests", "0002_city_rules")]

    operations = [migrations.RunSQL(_SQL, _BACK)]
