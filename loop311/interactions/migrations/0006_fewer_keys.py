"""Contacts without a resident or a member of staff, which are most, stand in no index of them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_city_rules"),
        ("interactions", "0005_contacts_stay"),
        ("jurisdictions", "0002_cities_stay"),
        ("residents", "0004_merging_holds"),
    ]

    operations = [
        migrations.AlterField(
            model_name="interaction",
            name="resident",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interactions",
                to="residents.resident",
            ),
        ),
        migrations.AlterField(
            model_name="interaction",
            name="staff",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interactions",
                to="accounts.staffmember",
            ),
        ),
        migrations.AddIndex(
            model_name="interaction",
            index=models.Index(
                condition=models.Q(("staff__isnull", False)),
                fields=["jurisdiction", "staff", "started_at"],
                name="interaction_of_staff",
            ),
        ),
    ]
