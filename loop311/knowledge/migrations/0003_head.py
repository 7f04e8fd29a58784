"""What is looked through first is small: title, what callers say, and the answer, beside the whole text; likeness has an index."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

from loop311.kit.tenancy import append_only

_STATED = ("live", "review", "reviewed_at", "reviewed_by_kind", "reviewed_by_ref")
_BEFORE = append_only("knowledge_text", may_change=(*_STATED, "search"))

_SQL = """
CREATE FUNCTION knowledge_plain(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(unaccent('unaccent'::regdictionary, words));
CREATE FUNCTION knowledge_head(language text, title text, keywords text[], answer text)
    RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(to_tsvector(knowledge_config(language), title), 'A')
        || setweight(to_tsvector(knowledge_config(language), array_to_string(keywords, ' ; ')), 'B')
        || setweight(to_tsvector(knowledge_config(language), answer), 'C');
CREATE FUNCTION knowledge_likeness(title text, keywords text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN knowledge_plain(title || ' ; ' || array_to_string(keywords, ' ; '));
ALTER TABLE knowledge_text
    ADD COLUMN head tsvector GENERATED ALWAYS AS (knowledge_head(language, title, keywords, answer)) STORED,
    ADD COLUMN likeness text GENERATED ALWAYS AS (knowledge_likeness(title, keywords)) STORED;
CREATE INDEX article_text_head ON knowledge_text USING gin (jurisdiction_id, head) WHERE live;
CREATE INDEX article_text_likeness ON knowledge_text USING gin (jurisdiction_id, likeness gin_trgm_ops) WHERE live;
CREATE FUNCTION knowledge_like(city bigint, asked text) RETURNS TABLE (article_id bigint, score real)
    LANGUAGE sql STABLE SET pg_trgm.word_similarity_threshold = 0.3
    BEGIN ATOMIC
        SELECT t.article_id, max(word_similarity(knowledge_plain(asked), t.likeness)) FROM knowledge_text t
        WHERE t.jurisdiction_id = city AND t.live AND knowledge_plain(asked) <% t.likeness GROUP BY t.article_id;
    END;
"""
_BACK = """
DROP FUNCTION knowledge_like(bigint, text);
DROP INDEX article_text_likeness; DROP INDEX article_text_head;
ALTER TABLE knowledge_text DROP COLUMN likeness, DROP COLUMN head;
DROP FUNCTION knowledge_likeness(text, text[]); DROP FUNCTION knowledge_head(text, text, text[], text);
DROP FUNCTION knowledge_plain(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("knowledge", "0002_city_rules"),
    ]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(_SQL, _BACK),
        migrations.RunSQL(_BEFORE.reverse_sql, _BEFORE.sql),
        # What follows from the words is not seen yet by a trigger that runs before.
        append_only("knowledge_text", may_change=(*_STATED, "search", "head", "likeness")),
    ]
