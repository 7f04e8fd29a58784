from django.apps import AppConfig


class ResidentsConfig(AppConfig):
    name = "loop311.residents"
    label = "residents"
    default_auto_field = "django.db.models.BigAutoField"
