from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "loop311.site"
    label = "site"

    def ready(self) -> None:
        """Give the ledger the wiring: which handlers want which events."""
