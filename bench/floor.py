"""pgbench on the bench's own cluster: how fast the database alone does what the product does with it."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from loop311.kit.database import Server, binaries
from loop311.kit.database.place import account_of

ROUNDS = 3
"""Product and floor take turns this often, so that a busy moment of the machine hits both."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Where pgbench is and how it reaches the server."""

    programs: Path
    socket: Path

    @classmethod
    def of(cls, server: Server) -> Floor:
        place = server.place
        return cls(binaries.find(place.base, account_of(place.base)).folder, place.socket)

    def rate(self, script: str, clients: int, seconds: float) -> float:
        """Runs of the script a second, prepared statements, `clients` connections."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            done = subprocess.run(
                [self.programs / "pgbench", "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2",
                 f"--time={max(1, round(seconds))}", f"--file={file.name}", *self._address()],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        if done.returncode or not found:
            raise RuntimeError(f"pgbench failed: {done.stderr.strip()[-2000:]}")
        return float(found[1])

    def sql(self, text: str) -> None:
        """Run statements as the server's own superuser: the bench's rows are made with the triggers asleep."""
        done = subprocess.run(
            [self.programs / "psql", "-qX", "-v", "ON_ERROR_STOP=1", f"--host={self.socket}", "--username=postgres",
             f"--dbname={settings.DATABASES['default']['NAME']}"],
            input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"psql failed: {done.stderr.strip()[-2000:]}")

    def _address(self) -> list[str]:
        database = settings.DATABASES["default"]
        return [f"--host={self.socket}", f"--username={database['USER']}", database["NAME"]]


def take_turns(
    product: Callable[[float], float], floor: Callable[[float], float], seconds: float
) -> tuple[float, float]:
    """The mean rates of both, measured in turns; each is told for how many seconds to run."""
    rates = [(product(seconds / ROUNDS), floor(seconds / ROUNDS)) for _ in range(ROUNDS)]
    return sum(rate for rate, _ in rates) / ROUNDS, sum(rate for _, rate in rates) / ROUNDS
