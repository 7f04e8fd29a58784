"""The exchange of files, over a folder and over a real SFTP server; a department's side is played by the tests."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from loop311.workorders.connectors import kind_of
from loop311.workorders.connectors.base import (
    CannotTell,
    Change,
    ChangeKind,
    Connector,
    Done,
    Proven,
    Report,
    Setup,
    TryLater,
    Unknown,
    Unreadable,
)
from loop311.workorders.connectors.files import Files, FolderOptions, SftpOptions
from loop311.workorders.connectors.places import Account, Away, Broken, Folder, Sftp
from loop311.workorders.live.sftp import LiveSftp, live_sftp, missing
from loop311.workorders.tests.redmine_story import GOING, ORDER

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HEADER = "row,reference,status,at,words\n"
ROW = "1,24-00000007,Done,2026-11-20T10:00:00Z,Filled it.\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSftp]:
    if missing():
        pytest.skip(missing())
    with live_sftp(tmp_path_factory.mktemp("sftp")) as running:
        yield running


class Exchange:
    """The department's side of one folder, and our connector for it."""

    def __init__(self, root: Path, setup: Setup, kind: str) -> None:
        self.root, self.setup, self.kind = root, setup, kind
        for name in ("in", "out"):
            (root / name).mkdir()

    def ours(self, **options: object) -> Files:
        changed = msgspec.structs.replace(self.setup.options, **options)
        setup = Setup(link="x", options=changed, secret=self.setup.secret, timeout=60)
        made = kind_of(self.kind).make(setup)
        assert isinstance(made, Files)
        return made

    def says(self, name: str, text: str, *, done: bool = True, age: float = 0) -> Path:
        path = self.root / "in" / name
        path.write_bytes(text.encode())
        os.utime(path, (time.time() - age, time.time() - age))
        if done:
            (self.root / "in" / f"{name}.done").touch()
        return path

    def dropped(self) -> list[dict[str, str]]:
        """The rows of our files in the order of their numbers, each file as its digest says."""
        rows = []
        for path in sorted((self.root / "out").glob("*.csv")):
            data = path.read_bytes()
            assert Path(f"{path}.sha256").read_text() == f"{hashlib.sha256(data).hexdigest()}  {path.name}\n"
            rows += list(csv.DictReader(io.StringIO(data.decode())))
        return rows


@pytest.fixture(params=["folder", "sftp"])
def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Exchange:
    root = tmp_path / "exchange"
    root.mkdir()
    if request.param == "folder":
        return Exchange(root, Setup(link="x", options=FolderOptions(folder=str(root))), "folder")
    server: LiveSftp = request.getfixturevalue("server")
    options = SftpOptions(
        host="127.0.0.1", port=server.port, user=server.user, host_key=server.host_key, folder=str(root)
    )
    return Exchange(root, Setup(link="x", options=options, secret=server.key), "sftp")


def _heard(ours: Files) -> list[Report]:
    reports = list(ours.poll(LONG_AGO))
    ours.took()
    return reports


# --- What we drop -------------------------------------------------------------------------------------------------------


def test_what_is_said_is_dropped_in_numbered_files_each_once(exchange: Exchange) -> None:
    ours = exchange.ours()
    assert isinstance(ours, Connector)
    assert ours.lookup(ORDER) is None
    for _ in range(2):
        assert ours.create(ORDER) == Done(their_key="24-00000007")
        assert ours.update(ORDER, GOING) == Done(their_key="24-00000007")
        assert ours.cancel(ORDER, "It is the county's road.") == Done(their_key="24-00000007")
    rows = exchange.dropped()
    assert [row["action"] for row in rows] == ["create", "state", "cancel"]
    assert rows[0]["answers"] == '{"Depth": "deep"}'
    assert (rows[1]["status"], rows[2]["text"]) == ("In Progress", "It is the county's road.")
    names = sorted(path.name[:8] for path in (exchange.root / "out").glob("*.csv"))
    assert names == ["00000001", "00000002", "00000003"]
    found = ours.lookup(ORDER)
    assert found is not None
    assert found.their_key == "24-00000007"


def test_what_they_have_taken_away_is_not_dropped_again(exchange: Exchange) -> None:
    ours = exchange.ours()
    ours.create(ORDER)
    for path in (exchange.root / "out").iterdir():
        path.unlink()
    assert ours.create(ORDER) == Done(their_key="24-00000007")
    assert exchange.dropped() == []


@pytest.mark.parametrize("dies_after", range(5))
def test_a_drop_that_died_in_any_step_is_finished_and_never_doubled(exchange: Exchange, dies_after: int) -> None:
    ours = exchange.ours()
    put, left = ours._place.put, [dies_after]

    def failing(path: str, data: bytes) -> bool:
        if not left[0]:
            raise Broken("as told")
        left[0] -= 1
        return put(path, data)

    ours._place.put = failing  # type: ignore[method-assign]
    assert ours.create(ORDER) == Unknown(reason="as told")
    assert ours.lookup(ORDER) is None
    fresh = exchange.ours()
    assert isinstance(fresh.create(ORDER), Done)
    assert [row["action"] for row in exchange.dropped()] == ["create"]


def test_nothing_typed_becomes_a_formula(exchange: Exchange) -> None:
    hostile = msgspec.structs.replace(
        ORDER, title="=HYPERLINK(1)", description="+1\x00", address="@x", latitude=29.5, longitude=-98.5
    )
    exchange.ours().create(hostile)
    (row,) = exchange.dropped()
    assert (row["title"], row["description"], row["address"]) == ("'=HYPERLINK(1)", "'+1 ", "'@x")
    assert row["longitude"] == "-98.500000"


def test_evidence_and_its_place_are_said(exchange: Exchange) -> None:
    proof = Proven(kind="photo", reference="https://311.example.org/p/1", latitude=29.5, longitude=-98.5)
    change = Change(id="e-1", kind=ChangeKind.EVIDENCE, at=GOING.at, text="A photo.", evidence=(proof,))
    exchange.ours().update(ORDER, change)
    assert '"reference": "https://311.example.org/p/1"' in exchange.dropped()[0]["evidence"]


def test_erased_words_are_said_to_be_erased_and_go_from_what_we_kept(exchange: Exchange) -> None:
    ours = exchange.ours()
    ours.create(msgspec.structs.replace(ORDER, description="Name and address"))
    erased = Change(id="e-2", kind=ChangeKind.ERASED, at=GOING.at, text="Erase the words.")
    assert isinstance(ours.update(msgspec.structs.replace(ORDER, description=""), erased), Done)
    kept = b"".join(path.read_bytes() for path in (exchange.root / "kept").rglob("*.csv"))
    assert b"Name and address" not in kept
    assert isinstance(ours.create(ORDER), Done)
    assert [row["action"] for row in exchange.dropped()] == ["create", "erased"]


def test_numbers_go_on_when_old_claims_are_cleared(tmp_path: Path) -> None:
    ours = Exchange(tmp_path, Setup(link="x", options=FolderOptions(folder=str(tmp_path))), "folder").ours()
    for number in range(60):
        ours.update(msgspec.structs.replace(ORDER, reference=f"24-{number}"), GOING)
    assert sorted(path.name[:8] for path in (tmp_path / "out").glob("*.csv"))[-1] == "00000060"
    assert len(list((tmp_path / "kept" / "numbers").iterdir())) <= 52


# --- What they drop ------------------------------------------------------------------------------------------------------


def test_their_rows_are_heard_once_and_the_file_is_put_away(exchange: Exchange) -> None:
    exchange.says("a.csv", "\ufeff" + HEADER + ROW)
    (heard,) = _heard(exchange.ours())
    assert (heard.their_key, heard.status, heard.words) == ("24-00000007", "Done", "Filled it.")
    assert heard.at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert _heard(exchange.ours()) == []
    assert list((exchange.root / "in").iterdir()) == []
    assert len(list((exchange.root / "kept" / "read").rglob("*-a.csv"))) == 1


def test_what_was_not_written_down_here_is_given_again_under_the_same_name(exchange: Exchange) -> None:
    exchange.says("a.csv", HEADER + ROW)
    first = list(exchange.ours().poll(LONG_AGO))  # and then we die
    assert _heard(exchange.ours()) == first


def test_the_same_row_in_two_files_is_one_happening_and_another_under_its_number_is_not(exchange: Exchange) -> None:
    exchange.says("a.csv", HEADER + ROW)
    exchange.says("b.csv", HEADER + ROW + ROW.replace("Done", "Reopened"))
    heard = _heard(exchange.ours())
    assert len(heard) == 3
    assert len({report.id for report in heard}) == 2


def test_half_a_file_is_left_until_it_is_whole(exchange: Exchange) -> None:
    ours = exchange.ours()
    exchange.says("a.csv", HEADER + ROW, done=False)
    assert _heard(ours) == []
    exchange.says("a.csv", HEADER + ROW, done=False, age=120)
    assert len(_heard(ours)) == 1
    exchange.says("b.csv", HEADER + ROW, done=False, age=9999)
    assert _heard(exchange.ours(settle_seconds=0)) == []
    digest = hashlib.sha256((HEADER + ROW + ROW).encode()).hexdigest()
    (exchange.root / "in" / "b.csv.sha256").write_text(f"{digest} *b.csv\n")
    assert _heard(ours) == []
    assert ours.test().words == "b.csv has lain in in for an hour: it is not whole, or no .csv file."
    exchange.says("b.csv", HEADER + ROW + ROW, done=False)
    assert len(_heard(ours)) == 2


def test_a_file_that_is_replaced_while_it_is_read_is_not_put_away_unread(exchange: Exchange) -> None:
    ours = exchange.ours()
    exchange.says("status.csv", HEADER + ROW)
    list(ours.poll(LONG_AGO))
    exchange.says("status.csv", HEADER + ROW.replace("Done", "Closed"))
    ours.took()
    assert [report.status for report in _heard(ours)] == ["Closed"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("2,24-00000007,Done\n", "The row has not as many cells as the header."),
        (",24-00000007,Done,2026-11-20T10:00:00Z,\n", "There is no row."),
        ("2,,Done,2026-11-20T10:00:00Z,\n", "There is no reference."),
        ("2,24-00000007,Done,20/11/2026,\n", "20/11/2026 is no time: write 2026-11-22T09:30:00Z."),
        ("2,24-00000007,Done,2026-11-20 10:00,\n", "2026-11-20 10:00 names no time zone: write 2026-11-22T09:30:00Z."),
        ("2,24-00000007,Done,2999-01-01T00:00:00Z,\n", "The time 2999-01-01T00:00:00Z has not come yet."),
        ("2,24-00000007,,2026-11-20T10:00:00Z,\n", "The row says nothing: no status, words or evidence."),
    ],
)
def test_a_bad_row_is_sent_back_with_its_line_and_the_others_count(exchange: Exchange, row: str, why: str) -> None:
    exchange.says("a.csv", HEADER + ROW + row + ROW.replace("1,", "3,", 1))
    ours = exchange.ours()
    heard = _heard(ours)
    assert [report.status for report in heard if report.status] == ["Done", "Done"]
    (back,) = (exchange.root / "rejected").iterdir()
    (problem,) = csv.DictReader(io.StringIO(back.read_text()))
    assert (problem["line"], problem["problem"]) == ("3", why)
    tested = ours.test()
    assert tested.ok
    assert "rows that cannot be read" in tested.words


def test_a_bad_row_is_told_where_its_order_is(exchange: Exchange) -> None:
    exchange.says("a.csv", HEADER + "2,24-00000007,Done,yesterday,\n")
    (told,) = _heard(exchange.ours())
    assert (told.reference, told.status) == ("24-00000007", "")
    assert told.words.startswith("A row of theirs could not be read: a.csv, line 2.")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("row,reference,status\n", "The header has no at."),
        (HEADER + ROW.strip(), "The last line is not ended: the file may be half a file."),
        ("", "The header has no row, reference, status, at."),
    ],
)
def test_a_file_that_is_no_table_is_sent_back_whole(exchange: Exchange, text: str, why: str) -> None:
    exchange.says("a.csv", text)
    assert _heard(exchange.ours()) == []
    (back,) = (exchange.root / "rejected").iterdir()
    assert why in back.read_text()
    assert len(list((exchange.root / "kept" / "read").rglob("*-a.csv"))) == 1


def test_what_europe_and_spreadsheets_write_is_read(exchange: Exchange) -> None:
    text = "Row;Reference;Status;At;Words;Their_Number\r\n1;24-00000007;Done;2026-11-20 10:00;'=1+1;W-7\r\n"
    exchange.says("a.csv", text)
    (heard,) = _heard(exchange.ours(time_zone="America/Chicago"))
    assert heard.words == "[W-7] =1+1"
    assert heard.at == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)


def test_their_evidence_has_a_place_or_none(exchange: Exchange) -> None:
    header = "row,reference,status,at,evidence_kind,evidence_reference,latitude,longitude\n"
    good = "1,24-00000007,Done,2026-11-20T10:00:00Z,Photo,https://x.example/1,29.5,-98.5\n"
    exchange.says(
        "a.csv", header + good + good.replace("-98.5", "").replace("1,", "2,", 1) + good.replace("29.5", "nan")
    )
    heard = _heard(exchange.ours())
    assert [report.evidence for report in heard if report.evidence] == [
        (Proven(kind="photo", reference="https://x.example/1", latitude=29.5, longitude=-98.5),)
    ]
    assert len(heard) == 3


# --- How it stands -------------------------------------------------------------------------------------------------------


def test_their_newest_list_says_how_it_stands(exchange: Exchange) -> None:
    ours = exchange.ours(standing_within_hours=24)
    with pytest.raises(CannotTell, match="no list"):
        ours.reconcile(["24-00000007"])
    exchange.says("standing-1.csv", "reference,status,at\n24-1,Open,\n", age=7200)
    exchange.says("standing-2.csv", "reference,status,at\n24-00000007,Done,2026-11-20T10:00:00Z\n", age=3600)
    (state,) = ours.reconcile(["24-00000007"])
    assert (state.their_key, state.status) == ("24-00000007", "Done")
    assert _heard(ours) == []
    exchange.says("standing-3.csv", "reference,status,at\n24-00000007,Done\n")
    with pytest.raises(CannotTell, match=r"standing-3\.csv"):
        ours.reconcile(["24-00000007"])


def test_a_list_that_is_too_old_is_no_list(exchange: Exchange) -> None:
    exchange.says("standing-1.csv", "reference,status,at\n", age=timedelta(hours=25).total_seconds())
    with pytest.raises(CannotTell, match="too old"):
        exchange.ours(standing_within_hours=24).reconcile([])


def test_without_a_list_only_what_was_dropped_is_known(exchange: Exchange) -> None:
    ours = exchange.ours()
    ours.create(ORDER)
    states = list(ours.reconcile(["24-00000007", "24-00000099"]))
    assert [(state.their_key, state.status) for state in states] == [("24-00000007", "")]


def test_files_that_nobody_takes_away_are_a_broken_link(exchange: Exchange) -> None:
    ours = exchange.ours()
    assert ours.test().ok
    ours.create(ORDER)
    assert ours.test().ok
    for path in (exchange.root / "out").iterdir():
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    assert ours.test().words == "Their side has not taken our files away for 24 hours."
    assert exchange.ours(fetched_within_hours=0).test().ok


def test_files_do_not_call(exchange: Exchange) -> None:
    with pytest.raises(Unreadable):
        exchange.ours().receive({}, b"")


# --- Places that fail ------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_has_taken_nothing(tmp_path: Path) -> None:
    ours = kind_of("folder").make(Setup(link="x", options=FolderOptions(folder=str(tmp_path / "gone"))))
    assert isinstance(ours.create(ORDER), TryLater)
    assert not ours.test().ok
    for ask in (lambda: ours.lookup(ORDER), lambda: ours.poll(LONG_AGO), lambda: ours.reconcile(["1"])):
        with pytest.raises(CannotTell):
            ask()


def test_a_folder_that_cannot_be_written_leaves_it_open(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where a folder should be")
    ours = kind_of("folder").make(Setup(link="x", options=FolderOptions(folder=str(tmp_path))))
    assert isinstance(ours.create(ORDER), Unknown)


def test_a_mounted_share_without_links_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    with Folder(tmp_path) as place:
        assert place.put("a/b", b"x")
        assert not place.put("a/b", b"y")
        assert place.read("a/b") == b"x"


def test_a_server_with_another_key_is_not_spoken_to(server: LiveSftp) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    account = Account("127.0.0.1", server.port, server.user, str(server.folder), other, server.key)
    with pytest.raises(Away, match="HostKeyNotVerifiable"), Sftp(account, timeout=60):
        pass


def test_a_wrong_key_of_ours_and_a_server_that_is_gone_have_taken_nothing(server: LiveSftp) -> None:
    options = SftpOptions(host="127.0.0.1", port=server.port, user=server.user, host_key=server.host_key)
    wrong = kind_of("sftp").make(Setup(link="x", options=options, secret="a password", timeout=60))
    assert wrong.create(ORDER) == TryLater(reason="The SFTP server cannot be used (PermissionDenied).")
    server.kill()
    try:
        gone = kind_of("sftp").make(Setup(link="x", options=options, secret=server.key, timeout=60))
        assert isinstance(gone.create(ORDER), TryLater)
    finally:
        server.start()


def test_a_connection_that_ends_while_we_speak_is_said_to_be_broken(server: LiveSftp) -> None:
    account = Account("127.0.0.1", server.port, server.user, str(server.folder), server.host_key, server.key)
    with Sftp(account, timeout=60) as place:
        assert place.put("cut/a", b"y")
        place._files.exit()
        with pytest.raises(Broken):
            place.put("cut/b", b"y")
    assert not (server.folder / "cut" / "b").exists()


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("folder", {"folder": "exchange"}, "a whole path is needed"),
        ("folder", {"folder": "/x", "time_zone": "Mars"}, "there is no zone"),
        ("folder", {"folder": "/x", "settle_seconds": -1}, "not negative"),
        ("sftp", {"host": "h", "user": "u", "host_key": "AAAA"}, "that is no public key"),
    ],
)
def test_settings_that_cannot_work_are_refused(kind: str, settings: dict[str, object], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(settings, kind_of(kind).options)
