"""The city of events and of the ends of their chains is looked up once a statement."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import city_at_once


def _unconstrained() -> models.ForeignKey:
    return models.ForeignKey(
        "jurisdictions.Jurisdiction", on_delete=django.db.models.deletion.PROTECT, db_index=False, db_constraint=False
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_checkpoint_key"),
        ("jurisdictions", "0002_cities_stay"),
    ]

    operations = [
        migrations.AlterField("event", "jurisdiction", _unconstrained()),
        migrations.AlterField("head", "jurisdiction", _unconstrained()),
        city_at_once("ledger_event", "jurisdictions_jurisdiction"),
        city_at_once("ledger_head", "jurisdictions_jurisdiction"),
    ]
