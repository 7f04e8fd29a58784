"""Through the room with a department that has nothing but a folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from loop311.kit.clock import now
from loop311.requests.policies import State
from loop311.workorders import services, working
from loop311.workorders.models import Order
from loop311.workorders.testing import Linked, follow, linked

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(tmp_path: Path) -> Linked:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    return linked(connector="folder", settings={"folder": str(tmp_path)}, secret="", call_secret="")


def _hand_over(here: Linked) -> Order:
    here.city.file(at=now())
    follow(here.city)
    working.send(here.link.pk)
    return Order.objects.get()


def _says(folder: Path, order: Order, status: str) -> Path:
    path = folder / "in" / "status.csv"
    at = (now() + timedelta(seconds=1)).isoformat()
    path.write_text(f"row,reference,status,at,words\n1,{order.reference},{status},{at},On our way.\n")
    (folder / "in" / "status.csv.done").touch()
    return path


def test_a_request_is_dropped_and_what_they_drop_moves_it(here: Linked, tmp_path: Path) -> None:
    order = _hand_over(here)
    assert (order.state, order.their_key) == ("acknowledged", order.reference)
    assert len(list((tmp_path / "out").glob("*-create-*.csv"))) == 1
    path = _says(tmp_path, order, "Doing")
    assert working.beat(here.link.pk) == "up"
    order.request.refresh_from_db()
    assert order.request.state == State.IN_PROGRESS
    assert not path.exists()
    assert working.reconcile(here.link.pk).open == 0


def test_a_row_that_leads_nowhere_is_sent_back(here: Linked, tmp_path: Path) -> None:
    order = _hand_over(here)
    path = _says(tmp_path, order, "Doing")
    row = path.read_text().splitlines()[1].replace(order.reference, "elmville-26-99999999").replace("1,", "2,", 1)
    path.write_text(f"{path.read_text()}{row}\n")
    working.beat(here.link.pk)
    order.request.refresh_from_db()
    assert order.request.state == State.IN_PROGRESS
    (rejected,) = (tmp_path / "rejected").iterdir()
    assert "No order of ours bears the reference elmville-26-99999999." in rejected.read_text()
    assert "rows that cannot be read" in working.try_out(here.link)[0].words


def test_their_file_stays_until_all_of_it_is_written_down_here(
    here: Linked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = _hand_over(here)
    path = _says(tmp_path, order, "Doing")
    hear = services.hear

    def failing(*_: object) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(services, "hear", failing)
    working.beat(here.link.pk)
    assert path.exists()
    monkeypatch.setattr(services, "hear", hear)
    working.beat(here.link.pk)
    order.request.refresh_from_db()
    assert order.request.state == State.IN_PROGRESS
    assert not path.exists()
