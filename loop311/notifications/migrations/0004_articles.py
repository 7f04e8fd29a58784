"""An answer that is sent: which article, in which contact, once for each contact point."""

import django.db.models.deletion
from django.db import migrations, models

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_city_rules"),
        ("interactions", "0004_city_at_once"),
        ("jurisdictions", "0002_cities_stay"),
        ("knowledge", "0002_city_rules"),
        ("ledger", "0005_city_at_once"),
        ("notifications", "0003_notice"),
        ("requests", "0005_attachments"),
        ("residents", "0004_merging_holds"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="article",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="knowledge.article",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="interaction",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="interactions.interaction",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("article__isnull", False)),
                fields=("jurisdiction", "interaction", "article", "contact_point"),
                name="message_answer_once",
            ),
        ),
        same_city("notifications_message", "article_id", "knowledge_article"),
        same_city("notifications_message", "interaction_id", "interactions_interaction"),
    ]
