"""Contacts stay, with their id and city: what points to one was right once and is right for ever."""

from django.db import migrations

from loop311.kit.tenancy import never_removed


class Migration(migrations.Migration):
    dependencies = [("interactions", "0004_city_at_once")]

    operations = [never_removed("interactions_interaction")]
