from django.apps import AppConfig


class JurisdictionsConfig(AppConfig):
    name = "loop311.jurisdictions"
    label = "jurisdictions"
    default_auto_field = "django.db.models.BigAutoField"
