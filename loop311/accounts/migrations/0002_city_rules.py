"""What the database itself holds: nothing crosses from one city to another; what is past is not edited."""

from django.db import migrations

from loop311.kit.tenancy import same_city


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        same_city("accounts_team", "department_id", "accounts_department"),
        same_city("accounts_staffmember", "department_id", "accounts_department"),
        same_city("accounts_teammembership", "staff_id", "accounts_staffmember"),
        same_city("accounts_teammembership", "team_id", "accounts_team"),
        same_city("accounts_token", "staff_id", "accounts_staffmember"),
    ]
