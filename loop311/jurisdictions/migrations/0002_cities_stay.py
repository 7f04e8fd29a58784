"""A city is never removed, so that what points to one may be checked without holding it."""

from django.db import migrations

from loop311.kit.tenancy import never_removed


class Migration(migrations.Migration):
    dependencies = [
        ("jurisdictions", "0001_initial"),
    ]

    operations = [
        never_removed("jurisdictions_jurisdiction", city="id"),
    ]
