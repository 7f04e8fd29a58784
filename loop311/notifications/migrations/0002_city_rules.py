"""What the database itself holds: nothing crosses from one city to another."""

from django.db import migrations

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
        ("catalog", "0002_city_rules"),
        ("residents", "0002_city_rules"),
        ("requests", "0002_city_rules"),
    ]

    operations = [
        same_city("notifications_message", "resident_id", "residents_resident"),
        same_city("notifications_message", "contact_point_id", "residents_contactpoint"),
        same_city("notifications_message", "request_id", "requests_request"),
        same_city("notifications_message", "catalogue_version_id", "catalog_catalogueversion"),
    ]
