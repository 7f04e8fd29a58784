"""python -m bench: makes a home of its own, sets the product up in it, and hands over to `bench.run`."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path

from loop311.kit import database


def main() -> None:
    """Everything happens on an embedded server of the bench's own, with the settings of a real one; nothing of it stays."""
    home = Path(tempfile.mkdtemp(prefix="loop311-bench-"))
    home.chmod(0o711)  # so that as root the server's user can reach it
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("LOOP311_BASE_URL", None)
    os.environ.update(LOOP311_HOME=str(home), DJANGO_SETTINGS_MODULE="loop311.site.settings")
    server = database.Server(home)
    try:
        server.join()
        import_module("django").setup()  # only now are the settings those of this home
        import_module("bench.run").main(obj=server, standalone_mode=False)
    finally:
        server.leave()
        shutil.rmtree(server.place.base, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
