"""Loop311: the system a city runs its 311 on. The loop is closed."""

__version__ = "0.1.0"
