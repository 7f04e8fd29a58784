"""The city of contacts is looked up once a statement."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import city_at_once


class Migration(migrations.Migration):
    dependencies = [
        ("interactions", "0003_of_resident"),
        ("jurisdictions", "0002_cities_stay"),
    ]

    operations = [
        migrations.AlterField(
            "interaction",
            "jurisdiction",
            models.ForeignKey(
                "jurisdictions.Jurisdiction",
                on_delete=django.db.models.deletion.PROTECT,
                db_index=False,
                db_constraint=False,
            ),
        ),
        city_at_once("interactions_interaction", "jurisdictions_jurisdiction"),
    ]
