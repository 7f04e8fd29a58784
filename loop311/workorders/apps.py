from django.apps import AppConfig


class WorkordersConfig(AppConfig):
    name = "loop311.workorders"
    label = "workorders"
    default_auto_field = "django.db.models.BigAutoField"
