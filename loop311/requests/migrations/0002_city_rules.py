"""What the database itself holds: nothing crosses from one city to another; what is past is not edited."""

from django.db import migrations

from loop311.kit.tenancy import append_only, same_city


class Migration(migrations.Migration):
    dependencies = [
        ("requests", "0001_initial"),
        ("interactions", "0002_city_rules"),
        ("residents", "0002_city_rules"),
        ("catalog", "0002_city_rules"),
        ("accounts", "0002_city_rules"),
    ]

    operations = [
        same_city("requests_request", "interaction_id", "interactions_interaction"),
        same_city("requests_request", "resident_id", "residents_resident"),
        same_city("requests_request", "catalogue_version_id", "catalog_catalogueversion"),
        same_city("requests_request", "service_id", "catalog_service"),
        same_city("requests_request", "team_id", "accounts_team"),
        same_city("requests_request", "assignee_id", "accounts_staffmember"),
        same_city("requests_request", "leading_id", "requests_request"),
        same_city("requests_promise", "request_id", "requests_request"),
        same_city("requests_promise", "catalogue_version_id", "catalog_catalogueversion"),
        same_city("requests_clockstop", "request_id", "requests_request"),
        same_city("requests_evidence", "request_id", "requests_request"),
        same_city("requests_comment", "request_id", "requests_request"),
        same_city("requests_filingkey", "request_id", "requests_request"),
        append_only("requests_promise", may_change=("note",)),
        append_only("requests_evidence", may_change=("reference", "note")),
        append_only("requests_comment", may_change=("text",)),
    ]
