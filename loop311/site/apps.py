from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "loop311.site"
    label = "site"

    def ready(self) -> None:
        """Give the ledger the wiring: which handlers want which events."""
        from loop311.ledger.services import wire  # noqa: PLC0415 - models exist only now
        from loop311.ledger.verification import register_subjects  # noqa: PLC0415
        from loop311.site.wiring import HANDLERS, ONLY_WHERE, SUBJECT_TABLES  # noqa: PLC0415

        wire(HANDLERS, ONLY_WHERE)
        register_subjects(SUBJECT_TABLES)
