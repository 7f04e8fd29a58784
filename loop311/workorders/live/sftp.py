"""A real SFTP server of its own: OpenSSH's sshd with keys and settings in a temporary folder, on loopback."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from loop311.kit.ports import free_port
from loop311.workorders.live.processes import spawn

SSHD = Path("/usr/sbin/sshd")
_READY_WITHIN = 120.0


def missing() -> str:
    """What keeps a server from being started here, in one sentence; empty when nothing does."""
    wanted = [] if SSHD.exists() else ["openssh-server"]
    wanted += [name for name in ("ssh-keygen", "setpriv") if shutil.which(name) is None]
    return f"No live SFTP server: {', '.join(wanted)} is not installed on this machine." if wanted else ""


@dataclass
class LiveSftp:
    """`folder` is what the account sees. `start` and `kill` as often as wanted."""

    folder: Path
    port: int
    user: str
    host_key: str
    key: str = field(repr=False)
    home: Path = field(repr=False)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd as root will not start without it
        log = self.home / "sshd.log"
        command = [str(SSHD), "-D", "-f", str(self.home / "sshd_config"), "-e"]
        self.process = spawn(command, log, folder=self.home)
        end = time.monotonic() + _READY_WITHIN
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"sshd did not start:\n{log.read_text() if log.exists() else ''}")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


@contextmanager
def live_sftp(home: Path) -> Iterator[LiveSftp]:
    folder = home / "exchange"
    folder.mkdir()
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(home / name)], check=True)
    (home / "authorized").write_bytes((home / "client.pub").read_bytes())
    port = free_port()
    settings = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": home / "host", "AuthorizedKeysFile": home / "authorized",
        "PidFile": "none", "UsePAM": "no", "StrictModes": "no", "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password", "Subsystem": f"sftp internal-sftp -d {folder}",
    }  # fmt: skip
    (home / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    host_key = " ".join((home / "host.pub").read_text().split()[:2])
    server = LiveSftp(folder, port, getpass.getuser(), host_key, (home / "client").read_text(), home)
    server.start()
    try:
        yield server
    finally:
        server.kill()
