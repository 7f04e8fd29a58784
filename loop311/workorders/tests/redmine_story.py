"""One walk through the Redmine connector, told with a live Redmine or from the file of its recorded answers.

`python -m loop311.workorders.tests.redmine_story` records it anew.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import msgspec

from loop311.workorders.connectors.base import (
    Change,
    ChangeKind,
    Done,
    Outgoing,
    Report,
    Setup,
    Tested,
    TheirState,
)
from loop311.workorders.connectors.redmine import Redmine, RedmineOptions
from loop311.workorders.live.recording import Recorder
from loop311.workorders.live.redmine import Foreman, LiveRedmine, live_redmine

RECORDED = Path(__file__).parent / "recorded" / "redmine.json"

ORDER = Outgoing(
    number="24-00000007",
    reference="24-00000007",
    service="pothole",
    theirs="Bug",
    title="Pothole",
    description="*Deep* !http://x.example/y.png! #1 {{toc}} </pre> <b>wide</b>",
    attributes={"Depth": "deep"},
    priority="High",
    received_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    due_at=datetime(2026, 11, 25, 4, 0, tzinfo=UTC),
    url="https://311.example.org/desk/requests/24-00000007/",
)

GOING = Change(
    id="event-1",
    kind=ChangeKind.STATE,
    at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    text="Promised for Wednesday.",
    status="In Progress",
)

FORBIDDEN = Change(id="event-2", kind=ChangeKind.STATE, at=GOING.at, text="A question.", status="Feedback")


class Story:
    """What was answered on the way; the same whether it is told by a live Redmine or from the file."""

    tested: Tested
    before: Report | None
    created: Done
    found: Report | None
    refused: object
    heard: list[Report]
    standing: list[TheirState]
    cancelled: object
    cancelled_again: object


def redmine_story(connector: Redmine, foreman: Foreman | None) -> Story:
    """Create, look up, change, change again, a step that is forbidden, their work, a cancel. No foreman: it is replayed."""
    story, start = Story(), datetime(2020, 1, 1, tzinfo=UTC)
    story.tested = connector.test()
    story.before = connector.lookup(ORDER)
    created = connector.create(ORDER)
    assert isinstance(created, Done), created
    story.created = created
    story.found = connector.lookup(ORDER)
    order = msgspec.structs.replace(ORDER, their_key=created.their_key)
    assert isinstance(connector.update(order, GOING), Done)
    again = msgspec.structs.replace(GOING, again=True)
    assert isinstance(connector.update(order, again), Done)
    story.refused = connector.update(order, FORBIDDEN)
    if foreman:
        foreman.work(created.their_key, status="Resolved", notes="Filled it.", photo=b"\x89PNG\r\n\x1a\nnot really")
    story.heard = list(connector.poll(start))
    story.standing = list(connector.reconcile([created.their_key, "999999"]))
    story.cancelled = connector.cancel(order, "It is the county's road.")
    story.cancelled_again = connector.cancel(order, "It is the county's road.")
    return story


def redmine_setup(url: str, key: str, number_field: int, transport: httpx.BaseTransport | None = None) -> Setup:
    options = RedmineOptions(url=url, project="streets", number_field=number_field, time_zone="America/Chicago")
    return Setup(
        link="streets", options=options, secret=key, services=("Bug", "Support"), timeout=30, transport=transport
    )


def tell(redmine: LiveRedmine) -> tuple[Story, Recorder]:
    recorder = Recorder(redmine.url)
    setup = redmine_setup(redmine.url, redmine.key, redmine.number_field, recorder)
    try:
        return redmine_story(Redmine(setup), redmine.foreman), recorder
    finally:
        recorder.end()


@click.command()
def main() -> None:
    """Record a live Redmine's answers for the tests that run without one."""
    with tempfile.TemporaryDirectory() as home, live_redmine(Path(home)) as redmine:
        tell(redmine)[1].write(RECORDED)
    click.echo(f"Written: {RECORDED}")


if __name__ == "__main__":
    main()
