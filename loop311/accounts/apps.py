from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "loop311.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Here, because allauth's models exist only now."""
        from loop311.accounts import noticing  # noqa: PLC0415

        noticing.connect()
