"""References of the hot tables are checked once a statement; those that another reference implies are not checked again."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import never_removed, no_longer_row_by_row, same_city_at_once

_REQUEST = {
    "catalogue_version_id": "catalog_catalogueversion",
    "service_id": "catalog_service",
    "team_id": "accounts_team",
}
_PROMISE = {"catalogue_version_id": "catalog_catalogueversion"}


def _unconstrained_city() -> models.ForeignKey:
    """The city is there because what the row belongs to is of the same city."""
    return models.ForeignKey(
        "jurisdictions.Jurisdiction", on_delete=django.db.models.deletion.PROTECT, db_index=False, db_constraint=False
    )


class Migration(migrations.Migration):
    dependencies = [
        ("requests", "0003_must_be_impossible"),
        ("catalog", "0002_city_rules"),
        ("accounts", "0002_city_rules"),
    ]

    operations = [
        never_removed("catalog_service"),
        never_removed("accounts_team"),
        *(no_longer_row_by_row("requests_request", column, target) for column, target in _REQUEST.items()),
        same_city_at_once("requests_request", _REQUEST),
        *(no_longer_row_by_row("requests_promise", column, target) for column, target in _PROMISE.items()),
        same_city_at_once("requests_promise", _PROMISE),
        migrations.AlterField("request", "jurisdiction", _unconstrained_city()),
        migrations.AlterField("promise", "jurisdiction", _unconstrained_city()),
    ]
