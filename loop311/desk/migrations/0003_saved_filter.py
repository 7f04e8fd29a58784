"""Choices of a team's queue under a name."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_city_rules"),
        ("desk", "0002_draft"),
        ("jurisdictions", "0002_cities_stay"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("query", models.TextField(blank=True)),
                ("is_shared", models.BooleanField(default=False)),
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
                        related_name="saved_filters",
                        to="accounts.staffmember",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saved_filters",
                        to="accounts.team",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("jurisdiction", "team", "staff", "name"), name="saved_filter_name_once"
                    )
                ],
            },
        ),
        same_city("desk_savedfilter", "team_id", "accounts_team"),
        same_city("desk_savedfilter", "staff_id", "accounts_staffmember"),
    ]
