"""What the database itself holds: nothing crosses from one city to another; what is past is not edited."""

from django.db import migrations

from loop311.kit.tenancy import append_only, same_city


class Migration(migrations.Migration):
    dependencies = [
        ("places", "0001_initial"),
    ]

    operations = [
        same_city("places_layerversion", "layer_id", "places_layer"),
        same_city("places_area", "version_id", "places_layerversion"),
        append_only("places_layerversion"),
        append_only("places_area"),
    ]
