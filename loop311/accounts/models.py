"""Who works here, and who may do what."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key


class User(AbstractUser):
    """A sign-in. What it may do comes from its staff memberships, one per city, never from Django's own permissions."""

    email = models.EmailField(unique=True)

    class Meta:
        verbose_name = "sign-in"


class Department(models.Model):
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    code = models.SlugField(max_length=80, db_index=False)
    names = models.JSONField(default=dict)
    """Language -> name."""

    class Meta:
        constraints = [
            city_key("department"),
            models.UniqueConstraint(fields=["jurisdiction", "code"], name="department_code_once"),
        ]


class Team(models.Model):
    """A team owns work: every request has one, always."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    department = city_fk("accounts.Department")
    code = models.SlugField(max_length=80, db_index=False)
    names = models.JSONField(default=dict)
    email = models.EmailField(blank=True)

    class Meta:
        constraints = [
            city_key("team"),
            models.UniqueConstraint(fields=["jurisdiction", "code"], name="team_code_once"),
        ]


class StaffMember(models.Model):
    """A person's place in one city: name on screens, roles, teams."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    name = models.TextField()
    roles = ArrayField(models.TextField(), default=list)
    """Values of accounts.policies.Role."""
    department = city_fk("accounts.Department", null=True)
    teams: models.ManyToManyField[Team, TeamMembership] = models.ManyToManyField(
        Team, through="TeamMembership", related_name="members"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            city_key("staff"),
            models.UniqueConstraint(fields=["jurisdiction", "user"], name="staff_once_per_city"),
        ]


class TeamMembership(models.Model):
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    staff = models.ForeignKey(StaffMember, on_delete=models.CASCADE, db_constraint=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["staff", "team"], name="team_member_once")]


class SignInLock(models.Model):
    """Attempts to sign in with a wrong password, by account or by address. Of no city: it stands before anybody is known."""

    digest = models.BinaryField(unique=True)
    """Of what was typed, or of where it came from; keyed."""
    tries = models.IntegerField()
    since = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)


class Token(models.Model):
    """A bearer token of an application or person for the API. Only its SHA-256 is kept."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    name = models.TextField()
    staff = city_fk("accounts.StaffMember", null=True)
    """Whose authority it carries; null for an application of its own."""
    scopes = ArrayField(models.TextField(), default=list)
    """Permissions of accounts.policies; a staff token has the intersection with the person's."""
    digest = models.BinaryField(unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    per_minute = models.IntegerField(null=True)
    """Calls of other systems' doors that are answered in one minute; null is usage.PER_MINUTE."""

    class Meta:
        constraints = [city_key("token")]

    def state(self, at: datetime) -> str:
        """'open', 'expired' or 'revoked'."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "open"


class TokenUse(models.Model):
    """How often a token was used on one UTC day for one kind of call."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    token = city_fk("accounts.Token", related_name="uses", db_index=False)
    day = models.DateField()
    call = models.TextField()
    """The door and what it does: 'open311.file'."""
    count = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    """Of `count`, those beyond the limit."""
    minute = models.DateTimeField()
    """The last minute in which it was used, and how often then."""
    in_minute = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "token", "day", "call"], name="token_use_once_a_day"),
        ]
