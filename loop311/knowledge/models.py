"""What the city knows: articles, their immutable versions, a text for each language; and what nobody knows yet."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key
from loop311.knowledge.policies import (
    GAP_MINUTES,
    LONGEST_GAP,
    Audience,
    Content,
    Dismissal,
    GapState,
    Hand,
    Rating,
    Review,
    VersionState,
    Words,
)


class Article(models.Model):
    """One answer of the city, for as long as it is asked. What it says is in its versions."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    code = models.TextField()
    """Its name in addresses and files, for ever."""
    latest = models.IntegerField(default=0)
    """Number of the newest version."""
    published = city_fk("knowledge.Version", null=True, related_name="+", db_index=False)
    expires_on = models.DateField(null=True)
    """The last day on which the published version holds; moved by checking."""
    checked_at = models.DateTimeField(null=True)
    checked_by_kind = models.TextField(blank=True)
    checked_by_ref = models.BigIntegerField(default=0)
    retired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            city_key("article"),
            models.UniqueConstraint(fields=["jurisdiction", "code"], name="article_code_once"),
        ]

    @property
    def is_live(self) -> bool:
        return self.published_id is not None and self.retired_at is None


class Version(models.Model):
    """What an article says, never edited: another wording is another version."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    article = city_fk("knowledge.Article", related_name="versions", db_index=False)
    number = models.IntegerField()
    state = models.TextField(default=VersionState.DRAFT)
    topic = models.TextField()
    audience = models.TextField()
    owner_team = city_fk("accounts.Team", null=True, related_name="+", db_index=False)
    owner_staff = city_fk("accounts.StaffMember", null=True, related_name="+", db_index=False)
    services = ArrayField(models.TextField(), default=list)
    """Codes of services it goes with."""
    expires_on = models.DateField(null=True)
    note = models.TextField(blank=True)
    """What the writer says about the change."""
    written_at = models.DateTimeField()
    written_by_kind = models.TextField()
    written_by_ref = models.BigIntegerField(default=0)
    decided_at = models.DateTimeField(null=True)
    decided_by_kind = models.TextField(blank=True)
    decided_by_ref = models.BigIntegerField(default=0)
    decision = models.TextField(blank=True)
    """What the second person says, above all when it is sent back."""

    class Meta:
        constraints = [
            city_key("article_version"),
            models.UniqueConstraint(fields=["jurisdiction", "article", "number"], name="article_version_once"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in VersionState]), name="article_version_state_known"
            ),
            models.CheckConstraint(
                condition=Q(audience__in=[a.value for a in Audience]), name="article_audience_known"
            ),
            models.CheckConstraint(
                condition=Q(owner_team__isnull=False, owner_staff__isnull=True)
                | Q(owner_team__isnull=True, owner_staff__isnull=False),
                name="article_has_one_owner",
            ),
        ]
        indexes = [
            models.Index(
                fields=["jurisdiction", "written_at"],
                name="article_version_waiting",
                condition=Q(state__in=[VersionState.DRAFT, VersionState.REVIEW]),
            ),
        ]

    @property
    def writer(self) -> Hand:
        return Hand(self.written_by_kind, self.written_by_ref)

    def content(self) -> Content:
        return Content(
            topic=self.topic,
            audience=Audience(self.audience),
            texts=tuple(text.words() for text in self.texts.all()),
            owner_team=self.owner_team_id,
            owner_staff=self.owner_staff_id,
            services=tuple(self.services),
            expires_on=self.expires_on,
        )


class Text(models.Model):
    """A version in one language. The database adds `search`, a tsvector by the language's own rules (see the migration)."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    article = city_fk("knowledge.Article", related_name="+", db_index=False)
    version = city_fk("knowledge.Version", related_name="texts", db_index=False)
    language = models.TextField()
    title = models.TextField()
    answer = models.TextField()
    body = models.TextField(blank=True)
    keywords = ArrayField(models.TextField(), default=list)
    review = models.TextField(default=Review.ORIGINAL)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by_kind = models.TextField(blank=True)
    reviewed_by_ref = models.BigIntegerField(default=0)
    live = models.BooleanField(default=False)
    """Of the published version of an article that is not retired: only these are searched."""

    class Meta:
        ordering = ["pk"]
        constraints = [
            city_key("article_text"),
            models.UniqueConstraint(fields=["jurisdiction", "version", "language"], name="article_text_once"),
            models.UniqueConstraint(
                fields=["jurisdiction", "article", "language"], condition=Q(live=True), name="article_text_live_once"
            ),
            models.CheckConstraint(condition=Q(review__in=[r.value for r in Review]), name="article_review_known"),
        ]

    def words(self) -> Words:
        return Words(
            language=self.language,
            title=self.title,
            answer=self.answer,
            body=self.body,
            keywords=tuple(self.keywords),
            review=Review(self.review),
        )


class Feedback(models.Model):
    """What somebody at a desk says about an answer; its owner reads it."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    article = city_fk("knowledge.Article", related_name="feedback", db_index=False)
    version = city_fk("knowledge.Version", related_name="+", db_index=False)
    language = models.TextField()
    rating = models.TextField()
    words = models.TextField(blank=True)
    at = models.DateTimeField()
    by_kind = models.TextField()
    by_ref = models.BigIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    settled_by_kind = models.TextField(blank=True)
    settled_by_ref = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            city_key("article_feedback"),
            models.CheckConstraint(condition=Q(rating__in=[r.value for r in Rating]), name="article_rating_known"),
        ]
        indexes = [
            models.Index(fields=["jurisdiction", "article", "-id"], name="article_feedback_newest"),
            models.Index(
                fields=["jurisdiction", "-id"],
                name="article_feedback_open",
                condition=Q(settled_at__isnull=True),
            ),
        ]


class GapQuerySet(models.QuerySet["Gap"]):
    def of_city(self, jurisdiction_id: int) -> Self:
        return self.filter(jurisdiction_id=jurisdiction_id)

    def open(self) -> Self:
        return self.filter(state=GapState.OPEN)

    def late(self, at: datetime) -> Self:
        return self.open().filter(due_at__lt=at)


class Gap(models.Model):
    """A question that no article answers yet. When it is due is never edited."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    words = models.TextField()
    """The question, as it was taken down."""
    key = models.TextField()
    """See policies.gap_key: one question is open once."""
    language = models.TextField()
    team = city_fk("accounts.Team", related_name="+", db_index=False)
    """Finds the answer; never null."""
    asked = models.IntegerField(default=1)
    """How many callers wanted to know."""
    opened_at = models.DateTimeField()
    opened_by_kind = models.TextField()
    opened_by_ref = models.BigIntegerField(default=0)
    due_at = models.DateTimeField()
    late_at = models.DateTimeField(null=True)
    """When it was found late; once."""
    state = models.TextField(default=GapState.OPEN)
    article = city_fk("knowledge.Article", null=True, related_name="gaps", db_index=False)
    """What answered it."""
    dismissal = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)

    objects = GapQuerySet.as_manager()

    class Meta:
        constraints = [
            city_key("gap"),
            models.UniqueConstraint(fields=["jurisdiction", "key"], condition=Q(state="open"), name="gap_open_once"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in GapState]), name="gap_state_known"),
            models.CheckConstraint(
                condition=Q(state=GapState.OPEN, ended_at__isnull=True, article__isnull=True, dismissal="")
                | Q(state=GapState.ANSWERED, ended_at__isnull=False, article__isnull=False, dismissal="")
                | Q(
                    state=GapState.DISMISSED,
                    ended_at__isnull=False,
                    article__isnull=True,
                    dismissal__in=[d.value for d in Dismissal],
                ),
                name="gap_end_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["jurisdiction", "due_at", "id"], name="gap_open", condition=Q(state="open")),
            models.Index(
                fields=["due_at"], name="gap_to_be_marked_late", condition=Q(state="open", late_at__isnull=True)
            ),
            models.Index(fields=["jurisdiction", "-ended_at"], name="gap_ended", condition=~Q(state="open")),
        ]

    def is_late(self, at: datetime) -> bool:
        return self.state == GapState.OPEN and at > self.due_at


class Rules(models.Model):
    """Who answers gaps in a city, and how soon. Without a row: see services.gaps."""

    jurisdiction = models.OneToOneField(Jurisdiction, on_delete=models.PROTECT, primary_key=True)
    team = city_fk("accounts.Team", related_name="+", db_index=False)
    minutes = models.IntegerField(default=GAP_MINUTES)
    calendar = models.TextField(default="always")
    """Code of a calendar of the catalogue, in whose open hours the minutes are counted."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gte=1, minutes__lte=LONGEST_GAP), name="gap_minutes_bounded"),
        ]
