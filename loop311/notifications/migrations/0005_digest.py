"""The daily e-mail to those who lead or coordinate."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sign_in_locks"),
        ("jurisdictions", "0003_second_factor_roles"),
        ("notifications", "0004_articles"),
    ]

    operations = [
        migrations.CreateModel(
            name="Digest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("message_id", models.TextField()),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
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
                        related_name="digests",
                        to="accounts.staffmember",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("jurisdiction", "day", "staff"), name="digest_once_a_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="DigestChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_wanted", models.BooleanField()),
                ("hour", models.SmallIntegerField()),
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
                        related_name="digest_choices",
                        to="accounts.staffmember",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("jurisdiction", "staff"), name="digest_choice_once"),
                    models.CheckConstraint(
                        condition=models.Q(("hour__range", (0, 23))), name="digest_choice_hour_of_a_day"
                    ),
                ],
            },
        ),
        same_city("notifications_digest", "staff_id", "accounts_staffmember"),
        same_city("notifications_digestchoice", "staff_id", "accounts_staffmember"),
    ]
