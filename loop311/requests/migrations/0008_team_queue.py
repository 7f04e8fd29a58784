"""A team's open requests in the order of their promises."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_city_rules"),
        ("catalog", "0002_city_rules"),
        ("interactions", "0004_city_at_once"),
        ("jurisdictions", "0002_cities_stay"),
        ("requests", "0007_keys_at_once"),
        ("residents", "0004_merging_holds"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="request",
            index=models.Index(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "assigned",
                            "handed_over",
                            "in_progress",
                            "received",
                            "waiting",
                        ],
                    )
                ),
                fields=["jurisdiction", "team", "due_at", "id"],
                name="request_team_open_due",
            ),
        ),
    ]
