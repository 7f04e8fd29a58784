from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "loop311.desk"
    label = "desk"
    default_auto_field = "django.db.models.BigAutoField"
