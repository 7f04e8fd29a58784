"""Answers at the desk: found, read, sent, rated, written and published by two people, on pages that hold together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_team
from loop311.desk.access import sit_down
from loop311.desk.answers import find, suggested
from loop311.desk.testing import Sitting, sit
from loop311.interactions import services as interactions
from loop311.kit.clock import now
from loop311.kit.testing import page, same_number_of_queries
from loop311.knowledge import services
from loop311.knowledge.models import Article, Feedback, Gap, Version
from loop311.knowledge.testing import a_draft, an_article, words
from loop311.notifications.models import Message
from loop311.requests.testing import make_city
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f'"><img src=x onerror=alert(1)>{SCRIPT}'


@pytest.fixture
def desk() -> Sitting:
    """A supervisor; an article in two languages."""
    found = sit(role=Role.SUPERVISOR)
    an_article(found.city.jurisdiction, "garbage", words(), words("Basura perdida", "es"), services=("pothole",))
    return found


PAGES = ["/desk/knowledge/", "/desk/knowledge/?q=garbage&language=en", "/desk/knowledge/?q=garbgae", "/desk/knowledge/?topic=trash",
         "/desk/knowledge/articles/garbage/", "/desk/knowledge/articles/garbage/?language=es", "/desk/knowledge/new/",
         "/desk/knowledge/articles/garbage/edit/", "/desk/knowledge/articles/garbage/versions/1/", "/desk/knowledge/review/",
         "/desk/knowledge/gaps/", "/desk/knowledge/gaps/?words=when"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_holds_together(desk: Sitting, path: str) -> None:
    services.report_gap(desk.city.jurisdiction, "Is the parade on?", by=desk.city.system)
    page(desk.client, path)


def test_what_is_found_shows_what_to_say_and_who_answers_for_it(desk: Sitting) -> None:
    found = page(desk.client, "/desk/knowledge/?q=my+garbage&language=en")
    assert "Trucks come until seven." in found.text
    assert "Knowledge-Owners" in found.text
    assert "Basura perdida" in page(desk.client, "/desk/knowledge/?q=garbage&language=es").text


def test_htmx_gets_the_hits_alone(desk: Sitting) -> None:
    answer = desk.client.get("/desk/knowledge/?q=garbage", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in answer
    assert "Trucks come until seven." in answer


def test_an_expired_article_warns_wherever_it_is_shown(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    today = now().astimezone(city.zone).date()
    an_article(city, "old", words("Cooling centers"), expires_on=today - timedelta(days=1))
    for path in ("/desk/knowledge/?q=cooling", "/desk/knowledge/articles/old/"):
        assert "make sure before you say it" in page(desk.client, path).text
    assert "old" in page(desk.client, "/desk/knowledge/review/").text


def test_searching_takes_the_same_number_of_queries_whatever_is_found(desk: Sitting) -> None:
    numbers = iter(range(99))

    def more() -> None:
        for _ in range(6):
            article = an_article(desk.city.jurisdiction, f"garbage-{next(numbers)}")
            services.rate(article, "wrong", words="All", by=desk.city.system)
            a_draft(desk.city.jurisdiction)
            services.report_gap(desk.city.jurisdiction, f"Question {next(numbers)}", by=desk.city.system)

    more()
    for path in ("/desk/knowledge/?q=garbage", "/desk/knowledge/", "/desk/knowledge/review/", "/desk/knowledge/gaps/"):
        same_number_of_queries(lambda path=path: desk.client.get(path), more)  # type: ignore[misc]  # bound at once


def test_other_pages_find_answers_by_the_same_function(desk: Sitting) -> None:
    request = desk.client.get("/desk/knowledge/").wsgi_request
    there = sit_down(request)
    assert there is not None
    assert [hit.code for hit in find(there, "my garbage")] == ["garbage"]
    assert find(there, "garbage", "es")[0].title == "Basura perdida"
    assert [hit.code for hit in suggested(there, "pothole")] == ["garbage"]


# --- What is said about an answer, and sending it ----------------------------------------------------------------------


def test_feedback_reaches_its_owner_and_wrong_needs_words(desk: Sitting) -> None:
    path = "/desk/knowledge/articles/garbage/feedback/"
    found = page(desk.client, path, post=True, status=422, data={"rating": "wrong", "words": "", "language": "en"})
    assert "Say what is wrong" in found.text
    assert desk.client.post(path, {"rating": "wrong", "words": HOSTILE, "language": "es"}).status_code == 302
    for each in ("/desk/knowledge/review/", "/desk/knowledge/articles/garbage/"):
        assert "onerror" in page(desk.client, each).text  # as words, not as a tag: page() checks that
    said = Feedback.objects.get()
    assert desk.client.post(f"/desk/knowledge/feedback/{said.pk}/settle/").status_code == 302
    assert desk.client.post(f"/desk/knowledge/feedback/{said.pk}/settle/").status_code == 409


def test_an_answer_is_sent_from_the_contact_it_was_asked_in(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    resident = a_resident(city, "Resident", mobile="214-555-0123", language="es")
    contact = interactions.begin(city, "phone", resident=resident, by=desk.city.system)
    found = page(desk.client, f"/desk/knowledge/articles/garbage/?contact={contact.pk}&language=es")
    assert "Send it to" in found.text
    point = resident.contact_points.get()
    sent = {"contact": str(contact.pk), "point": str(point.pk), "language": "es"}
    for _ in range(2):
        answer = desk.client.post("/desk/knowledge/articles/garbage/send/", sent)
        assert answer.headers["Location"] == f"/desk/knowledge/articles/garbage/?language=es&contact={contact.pk}"
    assert Message.objects.get().language == "es"
    wrong = desk.client.post("/desk/knowledge/articles/garbage/send/", {**sent, "point": str(point.pk + 999)})
    assert wrong.status_code == 422


def test_without_a_contact_or_a_number_the_page_says_what_is_missing(desk: Sitting) -> None:
    contact = interactions.begin(desk.city.jurisdiction, "phone", by=desk.city.system)
    assert "Open it from a contact" in page(desk.client, "/desk/knowledge/articles/garbage/").text
    assert (
        "say first who is calling" in page(desk.client, f"/desk/knowledge/articles/garbage/?contact={contact.pk}").text
    )
    assert desk.client.post("/desk/knowledge/articles/garbage/send/", {}).status_code == 404


def test_checking_and_retiring(desk: Sitting) -> None:
    path = "/desk/knowledge/articles/garbage/"
    page(desk.client, f"{path}check/", post=True, status=422, data={"expires_on": "2001-01-01"})
    assert desk.client.post(f"{path}check/", {"expires_on": "2199-01-01"}).status_code == 302
    assert str(Article.objects.get(code="garbage").expires_on) == "2199-01-01"
    assert desk.client.post(f"{path}retire/").status_code == 302
    page(desk.client, path, status=404)


# --- Writing ------------------------------------------------------------------------------------------------------------


def _typed(desk: Sitting, **changes: str) -> dict[str, str]:
    return {
        "code": "cooling", "base": "0", "topic": "weather", "audience": "public", "owner": f"staff:{desk.staff.pk}",
        "original": "en", "en-title": "Cooling centers", "en-answer": "Libraries are open.\r\nTell me where you are.",
        "en-body": "# Where\r\n\r\n- **Here**", "en-keywords": "too hot\r\nheat wave", "es-title": "Centros de enfriamiento",
        "es-answer": "Las bibliotecas abren.", **changes,
    }  # fmt: skip


def test_one_writes_and_a_second_person_publishes(desk: Sitting) -> None:
    author = sit(desk.city, Role.CONCIERGE, name="author")
    answer = author.client.post("/desk/knowledge/new/", {**_typed(author), "ready": ""})
    path = "/desk/knowledge/articles/cooling/versions/1/"
    assert answer.headers["Location"] == path
    assert author.client.post(f"{path}publish/").status_code == 403
    assert "A second person" in page(author.client, path).text
    page(desk.client, f"{path}back/", post=True, status=422, data={"words": ""})
    assert desk.client.post(f"{path}back/", {"words": "Name the hours."}).status_code == 302
    assert "Name the hours." in page(author.client, "/desk/knowledge/articles/cooling/edit/").text
    assert author.client.post(f"{path}ask/").status_code == 302
    assert desk.client.post(f"{path}translation/", {"language": "es"}).status_code == 302
    assert desk.client.post(f"{path}publish/").status_code == 302
    found = page(desk.client, "/desk/knowledge/?q=heat+wave")
    assert "Libraries are open." in found.text


def test_a_supervisor_does_not_publish_what_they_wrote(desk: Sitting) -> None:
    desk.client.post("/desk/knowledge/new/", {**_typed(desk), "ready": ""})
    answer = desk.client.post("/desk/knowledge/articles/cooling/versions/1/publish/")
    assert (answer.status_code, b"second person" in answer.content) == (403, True)


def test_what_must_be_mended_keeps_every_word(desk: Sitting) -> None:
    typed = _typed(desk, **{"en-answer": "one\ntwo\nthree", "services": "no-such", "topic": "Hot Days"})
    found = page(desk.client, "/desk/knowledge/new/", post=True, status=422, data={**typed, "ready": ""})
    assert "one or two lines" in found.text
    assert "three" in found.text
    assert "Centros de enfriamiento" in found.html
    huge = page(
        desk.client, "/desk/knowledge/new/", post=True, status=422, data=_typed(desk, **{"en-body": "x" * 30_000})
    )
    assert "20,000 are the most" in huge.text


def test_somebody_elses_newer_version_is_a_conflict_that_keeps_every_word(desk: Sitting) -> None:
    typed = _typed(desk, base="1", **{"en-title": "My own title"})
    a_draft(desk.city.jurisdiction, "garbage")
    found = page(desk.client, "/desk/knowledge/articles/garbage/edit/", post=True, status=409, data=typed)
    assert "newer version meanwhile" in found.text
    assert "My own title" in found.html
    again = page(desk.client, "/desk/knowledge/new/", post=True, status=409, data=_typed(desk, code="garbage"))
    assert "already" in again.text


def test_the_preview_shows_it_as_it_will_look_and_keeps_nothing(desk: Sitting) -> None:
    before = Version.objects.count()
    found = page(desk.client, "/desk/knowledge/new/", post=True, data={**_typed(desk), "preview": ""})
    assert "<h3>Where</h3>" in found.html
    part = desk.client.post(
        "/desk/knowledge/preview/", {"en-title": "T", "en-body": f"**b** {HOSTILE}"}
    ).content.decode()
    assert "<strong>b</strong>" in part
    assert "<script" not in part
    assert "<img" not in part
    assert Version.objects.count() == before


def test_a_stored_script_in_every_field_stays_words(desk: Sitting) -> None:
    author = sit(desk.city, Role.CONCIERGE, name="author")
    hostile = {f"{code}-{name}": HOSTILE for code in ("en", "es") for name in ("title", "keywords", "body")}
    typed = {**_typed(author), **hostile, "note": HOSTILE, "ready": ""}
    answer = author.client.post("/desk/knowledge/new/", typed)
    assert answer.status_code == 302, page(
        author.client, "/desk/knowledge/new/", post=True, status=422, data=typed
    ).text
    path = "/desk/knowledge/articles/cooling/"
    desk.client.post(f"{path}versions/1/publish/")
    services.report_gap(desk.city.jurisdiction, HOSTILE, by=desk.city.system)
    every = ["/desk/knowledge/", "/desk/knowledge/?q=onerror", path, f"{path}?language=es", f"{path}edit/", f"{path}versions/1/",
             "/desk/knowledge/review/", "/desk/knowledge/gaps/", f"/desk/knowledge/new/?words={HOSTILE}",
             f"/desk/knowledge/?q={HOSTILE}&topic={HOSTILE}&language={HOSTILE}",
             f"/desk/knowledge/gaps/?words={HOSTILE}"]  # fmt: skip
    for each in every:
        html = desk.client.get(each).content.decode()
        assert SCRIPT not in html, each
        assert "<img" not in html, each


@pytest.mark.parametrize("field", ["topic", "code", "owner", "audience", "original", "base", "expires_on"])
def test_nonsense_in_a_field_is_refused_with_a_sentence(desk: Sitting, field: str) -> None:
    typed = _typed(desk, **{field: HOSTILE})
    assert desk.client.post("/desk/knowledge/new/", typed).status_code == 422
    assert not Article.objects.filter(code="cooling").exists()


def test_another_citys_team_cannot_own_it(desk: Sitting) -> None:
    theirs = a_team(make_city("elsewhere").jurisdiction, "theirs")
    typed = _typed(desk, owner=f"team:{theirs.pk}")
    assert desk.client.post("/desk/knowledge/new/", typed).status_code == 422


# --- Nobody knows yet ----------------------------------------------------------------------------------------------------


def test_a_question_nobody_can_answer_is_seen_by_every_desk_and_answered(desk: Sitting) -> None:
    colleague = sit(desk.city, Role.CONCIERGE, name="colleague")
    assert desk.client.post("/desk/knowledge/gaps/", {"words": "Is the parade on?"}).status_code == 302
    assert "Is the parade on?" in page(colleague.client, "/desk/knowledge/").text
    alone = colleague.client.get("/desk/knowledge/gaps/", headers={"HX-Request": "true"}).content.decode()
    assert "Is the parade on?" in alone
    assert "<html" not in alone
    gap = Gap.objects.get()
    path = f"/desk/knowledge/gaps/{gap.pk}"
    assert colleague.client.post(f"{path}/again/").status_code == 302
    assert desk.client.post(f"{path}/reassign/", {"team": "south"}).status_code == 302
    assert desk.client.post(f"{path}/reassign/", {"team": "nobody"}).status_code == 404
    assert desk.client.post(f"{path}/answer/", {"article": "no-such"}).status_code == 404
    assert desk.client.post(f"{path}/answer/", {"article": "garbage"}).status_code == 302
    assert desk.client.post(f"{path}/dismiss/", {"reason": "mistake"}).status_code == 409
    gap.refresh_from_db()
    assert (gap.state, gap.asked, gap.team.code) == ("answered", 2, "south")
    page(desk.client, "/desk/knowledge/gaps/")


def test_an_empty_question_is_refused(desk: Sitting) -> None:
    for words_ in ("", "???", "x" * 301):
        page(desk.client, "/desk/knowledge/gaps/", post=True, status=422, data={"words": words_})


def test_an_auditor_reads_everything_and_changes_nothing(desk: Sitting) -> None:
    auditor = sit(desk.city, Role.AUDITOR, name="reader")
    for path in PAGES:
        if "new" not in path and "edit" not in path:
            page(auditor.client, path)
    for path in ("gaps/", "new/", "articles/garbage/feedback/", "articles/garbage/check/", "articles/garbage/retire/"):
        assert auditor.client.post(f"/desk/knowledge/{path}", {"words": "x"}).status_code == 403
