"""What the database itself holds: nothing crosses from one city to another; what is past is not edited."""

from django.db import migrations

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("residents", "0001_initial"),
    ]

    operations = [
        same_city("residents_resident", "merged_into_id", "residents_resident"),
        same_city("residents_contactpoint", "resident_id", "residents_resident"),
        same_city("residents_consent", "resident_id", "residents_resident"),
        same_city("residents_merge", "kept_id", "residents_resident"),
        same_city("residents_merge", "gone_id", "residents_resident"),
    ]
