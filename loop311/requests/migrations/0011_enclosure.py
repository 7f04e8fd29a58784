"""Photos that wait in a contact for their request."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("interactions", "0006_fewer_keys"),
        ("jurisdictions", "0004_country"),
        ("requests", "0010_near"),
    ]

    operations = [
        migrations.CreateModel(
            name="Enclosure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField()),
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
                ("at", models.DateTimeField()),
                ("dropped_at", models.DateTimeField(null=True)),
                (
                    "interaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enclosures",
                        to="interactions.interaction",
                    ),
                ),
                (
                    "jurisdiction",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="jurisdictions.jurisdiction"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["jurisdiction", "digest"], name="enclosure_of_file"),
                    models.Index(
                        condition=models.Q(("thumbnail_digest__isnull", False)),
                        fields=["jurisdiction", "thumbnail_digest"],
                        name="enclosure_of_thumbnail",
                    ),
                    models.Index(
                        condition=models.Q(("dropped_at__isnull", False)), fields=["id"], name="enclosure_to_remove"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["photo", "document"])), name="enclosure_role_known"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("dropped_at__isnull", True)),
                        fields=("jurisdiction", "interaction", "key", "received_digest"),
                        name="enclosure_once",
                    ),
                ],
            },
        ),
        same_city("requests_enclosure", "interaction_id", "interactions_interaction"),
    ]
