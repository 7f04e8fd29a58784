"""What the database itself holds: nothing crosses from one city to another; what is past is not edited."""

from django.db import migrations

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("interactions", "0001_initial"),
        ("residents", "0002_city_rules"),
        ("accounts", "0002_city_rules"),
    ]

    operations = [
        same_city("interactions_interaction", "resident_id", "residents_resident"),
        same_city("interactions_interaction", "staff_id", "accounts_staffmember"),
        same_city("interactions_interactionlink", "interaction_id", "interactions_interaction"),
    ]
