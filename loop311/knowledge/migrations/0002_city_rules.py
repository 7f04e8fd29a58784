"""What the database itself holds: one city, words that are never edited, and a second person for whatever is published."""

from django.contrib.postgres.operations import BtreeGinExtension, UnaccentExtension
from django.db import migrations

from loop311.kit.tenancy import append_only, never_removed, same_city
from loop311.knowledge.policies import DECIDED

_STEMMERS = {
    "en": "english", "es": "spanish", "fr": "french", "pt": "portuguese", "de": "german", "it": "italian", "ru": "russian",
    "ar": "arabic", "simple": "simple",
}  # fmt: skip
"""Of other languages the words are taken as they are."""
_PARTS = "hword, hword_part, word"
"""The kinds of word that can hold accents."""


def _configuration(code: str, name: str) -> str:
    stem = "simple" if name == "simple" else f"{name}_stem"
    return (
        f"CREATE TEXT SEARCH CONFIGURATION knowledge_{code} (COPY = {name});"
        f"ALTER TEXT SEARCH CONFIGURATION knowledge_{code} ALTER MAPPING FOR {_PARTS} WITH unaccent, {stem};"
    )


_CASES = " ".join(f"WHEN '{code}' THEN 'knowledge_{code}'::regconfig" for code in _STEMMERS if code != "simple")

_SEARCH = f"""
{" ".join(_configuration(code, name) for code, name in _STEMMERS.items())}
CREATE FUNCTION knowledge_config(language text) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE split_part(language, '-', 1) {_CASES} ELSE 'knowledge_simple'::regconfig END;
CREATE FUNCTION knowledge_vector(language text, title text, keywords text[], answer text, body text)
    RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(to_tsvector(knowledge_config(language), title), 'A')
        || setweight(to_tsvector(knowledge_config(language), array_to_string(keywords, ' ; ')), 'B')
        || setweight(to_tsvector(knowledge_config(language), answer), 'C')
        || setweight(to_tsvector(knowledge_config(language), body), 'D');
ALTER TABLE knowledge_text ADD COLUMN search tsvector
    GENERATED ALWAYS AS (knowledge_vector(language, title, keywords, answer, body)) STORED;
CREATE INDEX article_text_search ON knowledge_text USING gin (jurisdiction_id, search) WHERE live;
"""
_NO_SEARCH = f"""
DROP INDEX article_text_search; ALTER TABLE knowledge_text DROP COLUMN search;
DROP FUNCTION knowledge_vector(text, text, text[], text, text); DROP FUNCTION knowledge_config(text);
{" ".join(f"DROP TEXT SEARCH CONFIGURATION knowledge_{code};" for code in _STEMMERS)}
"""

_MAY_FOLLOW = ", ".join(f"'{state} {after}'" for state, follows in DECIDED.items() for after in sorted(follows))

_VERSIONS = f"""
CREATE FUNCTION knowledge_version_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND OLD.state || ' ' || NEW.state NOT IN ({_MAY_FOLLOW}) THEN
        RAISE EXCEPTION 'version %: % cannot become %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'published' AND (NEW.decided_by_kind = '' OR (NEW.decided_by_kind <> 'system'
       AND (NEW.decided_by_kind, NEW.decided_by_ref) = (NEW.written_by_kind, NEW.written_by_ref))) THEN
        RAISE EXCEPTION 'version %: a second person publishes', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER knowledge_version_moves BEFORE UPDATE ON knowledge_version
    FOR EACH ROW EXECUTE FUNCTION knowledge_version_moves();

CREATE FUNCTION knowledge_version_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state NOT IN ('draft', 'review') THEN
        RAISE EXCEPTION 'a version begins as a draft' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER knowledge_version_begins BEFORE INSERT ON knowledge_version
    FOR EACH ROW EXECUTE FUNCTION knowledge_version_begins();

CREATE FUNCTION knowledge_article_says() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.published_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM knowledge_version v
        WHERE v.jurisdiction_id = NEW.jurisdiction_id AND v.id = NEW.published_id AND v.article_id = NEW.id
        AND v.state = 'published') THEN
        RAISE EXCEPTION 'article %: it says only what was published', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER knowledge_article_says BEFORE INSERT OR UPDATE OF published_id ON knowledge_article
    FOR EACH ROW EXECUTE FUNCTION knowledge_article_says();

CREATE FUNCTION knowledge_text_lives() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.review <> OLD.review AND NOT (OLD.review = 'translated' AND NEW.review = 'checked') THEN
        RAISE EXCEPTION 'text %: only a translation becomes checked', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.live AND NOT EXISTS (SELECT 1 FROM knowledge_version v WHERE v.jurisdiction_id = NEW.jurisdiction_id
        AND v.id = NEW.version_id AND v.state = 'published') THEN
        RAISE EXCEPTION 'text %: only what was published is found', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER knowledge_text_lives BEFORE UPDATE ON knowledge_text
    FOR EACH ROW EXECUTE FUNCTION knowledge_text_lives();

CREATE FUNCTION knowledge_text_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.live THEN
        RAISE EXCEPTION 'a text is not found before it is published' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER knowledge_text_begins BEFORE INSERT ON knowledge_text
    FOR EACH ROW EXECUTE FUNCTION knowledge_text_begins();

CREATE FUNCTION knowledge_gap_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.due_at, NEW.opened_at, NEW.words, NEW.key) IS DISTINCT FROM (OLD.due_at, OLD.opened_at, OLD.words, OLD.key) THEN
        RAISE EXCEPTION 'gap %: what was asked and promised is not edited', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'open' AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'gap %: it has ended', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.late_at IS NOT NULL AND NEW.late_at IS DISTINCT FROM OLD.late_at THEN
        RAISE EXCEPTION 'gap %: late is said once', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER knowledge_gap_holds BEFORE UPDATE ON knowledge_gap
    FOR EACH ROW EXECUTE FUNCTION knowledge_gap_holds();
"""
_NO_VERSIONS = """
DROP TRIGGER knowledge_version_moves ON knowledge_version; DROP FUNCTION knowledge_version_moves();
DROP TRIGGER knowledge_version_begins ON knowledge_version; DROP FUNCTION knowledge_version_begins();
DROP TRIGGER knowledge_article_says ON knowledge_article; DROP FUNCTION knowledge_article_says();
DROP TRIGGER knowledge_text_lives ON knowledge_text; DROP FUNCTION knowledge_text_lives();
DROP TRIGGER knowledge_text_begins ON knowledge_text; DROP FUNCTION knowledge_text_begins();
DROP TRIGGER knowledge_gap_holds ON knowledge_gap; DROP FUNCTION knowledge_gap_holds();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("knowledge", "0001_initial"),
        ("accounts", "0002_city_rules"),
    ]

    operations = [
        UnaccentExtension(),
        BtreeGinExtension(),
        same_city("knowledge_article", "published_id", "knowledge_version"),
        same_city("knowledge_version", "article_id", "knowledge_article"),
        same_city("knowledge_version", "owner_team_id", "accounts_team"),
        same_city("knowledge_version", "owner_staff_id", "accounts_staffmember"),
        same_city("knowledge_text", "article_id", "knowledge_article"),
        same_city("knowledge_text", "version_id", "knowledge_version"),
        same_city("knowledge_feedback", "article_id", "knowledge_article"),
        same_city("knowledge_feedback", "version_id", "knowledge_version"),
        same_city("knowledge_gap", "team_id", "accounts_team"),
        same_city("knowledge_gap", "article_id", "knowledge_article"),
        same_city("knowledge_rules", "team_id", "accounts_team"),
        migrations.RunSQL(_SEARCH, _NO_SEARCH),
        migrations.RunSQL(_VERSIONS, _NO_VERSIONS),
        never_removed("knowledge_article"),
        never_removed("knowledge_gap"),
        append_only(
            "knowledge_version",
            may_change=("state", "decided_at", "decided_by_kind", "decided_by_ref", "decision"),
        ),
        append_only(
            "knowledge_text",
            # `search` follows from the words; a trigger that runs before does not see it yet.
            may_change=("live", "review", "reviewed_at", "reviewed_by_kind", "reviewed_by_ref", "search"),
        ),
        append_only("knowledge_feedback", may_change=("settled_at", "settled_by_kind", "settled_by_ref")),
    ]
