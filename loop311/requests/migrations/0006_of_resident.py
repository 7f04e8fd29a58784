"""Who asked at this address, and what of a resident is open: only requests of residents are listed, so that an import of
anonymous ones pays nothing."""

from django.contrib.postgres.indexes import OpClass
from django.db import migrations, models
from django.db.models.functions import Lower

_OPEN = ["assigned", "handed_over", "in_progress", "joined", "received", "waiting"]


class Migration(migrations.Migration):
    dependencies = [("requests", "0005_attachments")]

    operations = [
        migrations.AddIndex(
            model_name="request",
            index=models.Index(
                models.F("jurisdiction"),
                OpClass(Lower("address"), name="text_pattern_ops"),
                condition=models.Q(("resident__isnull", False)),
                name="request_at_address_of_resident",
            ),
        ),
        migrations.AddIndex(
            model_name="request",
            index=models.Index(
                fields=["jurisdiction", "resident", "-received_at"],
                name="request_open_of_resident",
                condition=models.Q(resident__isnull=False, state__in=_OPEN),
            ),
        ),
    ]
