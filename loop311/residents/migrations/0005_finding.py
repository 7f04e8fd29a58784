"""Who may be meant, quickly: words within one city, the last digits of a telephone number, the beginning of an e-mail address."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import BtreeGinExtension
from django.db import migrations, models

from loop311.residents.policies import indexed

_PADDED = "UPDATE residents_resident SET search = ' ' || search || ' ' WHERE search <> ''"


def write_again(apps, schema_editor):
    """More letters are written plainly, and apostrophes go: only those whose name or address has one."""
    residents = apps.get_model("residents", "Resident").objects.filter(erased_at=None)
    odd = residents.filter(models.Q(name__regex=_ODD) | models.Q(address__regex=_ODD))
    for row in odd.iterator(chunk_size=1000):
        row.search = indexed(row.name, row.address)
        row.save(update_fields=["search"])


_ODD = "['\u2018\u2019\u02bc`\u00b4øØłŁđĐðÐþÞæÆœŒ\u0131]"


class Migration(migrations.Migration):
    dependencies = [("residents", "0004_merging_holds")]

    operations = [
        BtreeGinExtension(),
        migrations.RunSQL(_PADDED, migrations.RunSQL.noop),
        migrations.RunPython(write_again, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="resident", name="resident_trigram"),
        migrations.AddIndex(
            model_name="resident",
            index=django.contrib.postgres.indexes.GinIndex(
                "jurisdiction",
                django.contrib.postgres.indexes.OpClass("search", name="gin_trgm_ops"),
                name="resident_words",
            ),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(
                models.F("jurisdiction"),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Reverse("address"), name="text_pattern_ops"
                ),
                condition=models.Q(models.Q(("kind", "email"), _negated=True), ("removed_at__isnull", True)),
                name="contact_point_phone_end",
            ),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(
                models.F("jurisdiction"),
                django.contrib.postgres.indexes.OpClass("address", name="text_pattern_ops"),
                condition=models.Q(("kind", "email"), ("removed_at__isnull", True)),
                name="contact_point_email",
            ),
        ),
    ]
