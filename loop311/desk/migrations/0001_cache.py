"""The table of the site's cache, where sign-in attempts are counted for all web processes together. Unlogged: losing it is harmless."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.RunSQL(
            "CREATE UNLOGGED TABLE site_cache"
            " (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);"
            "CREATE INDEX site_cache_expires ON site_cache (expires)",
            "DROP TABLE site_cache",
        ),
    ]
