"""What the database itself holds: nothing crosses from one city to another; what is past is not edited."""

from django.db import migrations

from loop311.kit.tenancy import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0001_initial"),
    ]

    operations = [
        append_only("ledger_event"),
        append_only("ledger_checkpoint"),
    ]
