from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "loop311.catalog"
    label = "catalog"
    default_auto_field = "django.db.models.BigAutoField"
