"""Where the embedded server lives: looked up, never made, the same in every process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loop311.kit.database import DatabaseUnavailable, connection_settings, connection_url, place_of
from loop311.kit.database.cluster import sentence_of
from loop311.kit.database.place import LONGEST_SOCKET_PATH, POINTER, account_of, can_enter


def test_addressing_the_database_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = connection_settings(None, home)
    assert settings["NAME"] == settings["USER"] == "loop311"
    assert settings["HOST"] == str(place_of(home).socket)
    assert "PASSWORD" not in settings
    assert not home.exists()


def test_a_url_is_taken_apart_and_its_options_kept() -> None:
    settings = connection_settings("postgresql://ada:s%20t@db.example:6432/city?sslmode=require", Path("var"))
    assert [settings[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "ada",
        "s t",
        "db.example",
        "6432",
        "city",
    ]
    assert settings["OPTIONS"] == {
        "sslmode": "require",
        "connect_timeout": "5",
        "server_side_binding": True,
        "prepare_threshold": 2,
    }


def test_something_that_is_no_postgresql_url_is_refused_in_one_sentence() -> None:
    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL is not a PostgreSQL address"):
        connection_settings("mysql://root@localhost/x", Path("var"))


def test_the_url_survives_spaces_in_the_home(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    assert connection_settings(connection_url(home), home) == connection_settings(None, home)


def test_a_long_home_still_gets_a_short_socket(tmp_path: Path) -> None:
    place = place_of(tmp_path / ("x" * 120), elsewhere=Path("/var/lib/loop311"))
    assert len(os.fsencode(place.socket / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH


def test_a_home_that_the_servers_user_cannot_reach_is_served_from_elsewhere(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    place = place_of(closed / "home", elsewhere=tmp_path / "else")
    is_other_user = account_of(place.base).uid != os.geteuid()
    assert (place.base.parent == tmp_path / "else") is is_other_user


def test_two_homes_never_share_a_place(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    places = [place_of(closed / name, elsewhere=tmp_path / "else") for name in ("a", "b")]
    assert len({place.base for place in places}) == len({place.socket for place in places}) == 2


def test_the_pointer_in_the_home_is_followed(tmp_path: Path) -> None:
    (tmp_path / POINTER).write_text("/srv/data\n")
    assert place_of(tmp_path).base == Path("/srv/data")


def test_passing_through_a_folder_needs_each_one_above_it(tmp_path: Path) -> None:
    account = account_of(tmp_path)
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    for folder in (tmp_path, open_folder):
        folder.chmod(0o755)
    before = can_enter(open_folder / "not-there-yet", account)
    open_folder.chmod(0o000)
    after = can_enter(open_folder / "not-there-yet", account)
    open_folder.chmod(0o755)
    assert after is False
    assert before is can_enter(tmp_path, account)


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("x\nFATAL:  could not write lock file: No space left on device\n", "the disk is full."),
        (
            "2026 [1] LOG:  a\n2026 [1] FATAL:  could not map memory\n2026 [1] LOG:  shut down\n",
            "could not map memory.",
        ),
        ("initdb: error: could not create directory\n", "could not create directory."),
        ("", "it said nothing."),
    ],
)
def test_the_most_telling_line_of_a_log_is_told(log: str, sentence: str) -> None:
    assert sentence_of(log) == sentence
