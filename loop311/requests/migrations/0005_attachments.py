"""Photos and documents of requests. Their rows are only added; erasing empties what the camera and people wrote."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import append_only, same_city

_ERASED = ("latitude", "longitude", "taken_at", "note", "erased_at", "removed_at")


class Migration(migrations.Migration):
    dependencies = [
        ("jurisdictions", "0002_cities_stay"),
        ("requests", "0004_references_at_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.TextField()),
                ("digest", models.BinaryField()),
                ("received_digest", models.BinaryField()),
                ("media_type", models.TextField()),
                ("size", models.BigIntegerField()),
                ("width", models.IntegerField(default=0)),
                ("height", models.IntegerField(default=0)),
                ("thumbnail_digest", models.BinaryField(null=True)),
                ("latitude", models.FloatField(null=True)),
                ("longitude", models.FloatField(null=True)),
                ("taken_at", models.DateTimeField(null=True)),
                ("note", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                ("actor_kind", models.TextField()),
                ("actor_ref", models.BigIntegerField(default=0)),
                ("erased_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "evidence",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="requests.evidence",
                    ),
                ),
                (
                    "jurisdiction",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="jurisdictions.jurisdiction"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="requests.request",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["jurisdiction", "request", "-id"], name="attachment_of_request"),
                    models.Index(fields=["jurisdiction", "digest"], name="attachment_of_file"),
                    models.Index(
                        condition=models.Q(("thumbnail_digest__isnull", False)),
                        fields=["jurisdiction", "thumbnail_digest"],
                        name="attachment_of_thumbnail",
                    ),
                    models.Index(
                        condition=models.Q(("erased_at__isnull", False), ("removed_at__isnull", True)),
                        fields=["jurisdiction", "id"],
                        name="attachment_to_remove",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("jurisdiction", "id"), name="attachment_city_key"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["photo", "document"])), name="attachment_role_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("latitude__isnull", True), ("longitude__isnull", True)),
                            models.Q(("latitude__range", (-90, 90)), ("longitude__range", (-180, 180))),
                            _connector="OR",
                        ),
                        name="attachment_position_in_degrees",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("erased_at__isnull", True),
                            models.Q(("latitude__isnull", True), ("note", ""), ("taken_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="attachment_erased_says_nothing",
                    ),
                ],
            },
        ),
        same_city("requests_attachment", "request_id", "requests_request"),
        same_city("requests_attachment", "evidence_id", "requests_evidence"),
        append_only("requests_attachment", may_change=_ERASED),
    ]
