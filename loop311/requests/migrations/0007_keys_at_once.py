"""What a request was asked in, and the request of a promise, are looked up once a statement too: they stay for ever."""

from django.db import migrations

from loop311.kit.tenancy import never_removed, no_longer_row_by_row, same_city_at_once


class Migration(migrations.Migration):
    dependencies = [
        ("requests", "0006_of_resident"),
        ("interactions", "0005_contacts_stay"),
    ]

    operations = [
        never_removed("requests_request", name="requests_request_unmoved"),
        no_longer_row_by_row("requests_request", "interaction_id", "interactions_interaction"),
        same_city_at_once("requests_request", {"interaction_id": "interactions_interaction"}, into="contact"),
        no_longer_row_by_row("requests_promise", "request_id", "requests_request"),
        same_city_at_once("requests_promise", {"request_id": "requests_request"}, into="request"),
    ]
