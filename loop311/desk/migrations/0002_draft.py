"""Contacts that are being taken down, as typed so far."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_city_rules"),
        ("desk", "0001_cache"),
        ("interactions", "0004_city_at_once"),
        ("jurisdictions", "0002_cities_stay"),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.JSONField(default=dict)),
                ("version", models.IntegerField(default=1)),
                ("tab", models.TextField(blank=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "interaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drafts",
                        to="interactions.interaction",
                    ),
                ),
                (
                    "jurisdiction",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="jurisdictions.jurisdiction"
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drafts",
                        to="accounts.staffmember",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["jurisdiction", "staff", "-updated_at"], name="draft_of_staff")],
                "constraints": [
                    models.UniqueConstraint(fields=("jurisdiction", "id"), name="draft_city_key"),
                    models.UniqueConstraint(fields=("jurisdiction", "interaction"), name="draft_of_contact_once"),
                ],
            },
        ),
        same_city("desk_draft", "staff_id", "accounts_staffmember"),
        same_city("desk_draft", "interaction_id", "interactions_interaction"),
    ]
