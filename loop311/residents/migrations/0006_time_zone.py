"""Where a resident's clocks are; empty for the city's own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("residents", "0005_finding")]

    operations = [
        migrations.AddField(
            model_name="resident",
            name="time_zone",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
