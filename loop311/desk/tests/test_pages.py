"""Every page as staff meet it: permitted, bounded to the city, the same number of queries whatever the length."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from loop311.accounts.policies import Role
from loop311.desk.testing import Sitting, sit
from loop311.kit.clock import now
from loop311.kit.testing import page, same_number_of_queries
from loop311.places.services import load_boundaries
from loop311.places.testing import real_data, squares
from loop311.requests import imports, services
from loop311.requests.models import Request
from loop311.requests.testing import MONDAY, make_city
from loop311.residents import services as residents
from loop311.residents.services import PointInput

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Sitting:
    return sit()


PAGES = ["/desk/", "/desk/queue/north/", "/desk/search/", "/desk/search/?q=elm", "/desk/file/", "/desk/file/pothole/",
         "/desk/file/sign/", "/desk/failures/", "/desk/cities/", "/desk/?state=done&team=north&overdue=on"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_holds_together(desk: Sitting, path: str) -> None:
    desk.city.file()
    page(desk.client, path)


def test_a_page_needs_a_sign_in_and_comes_back_after_it() -> None:
    city = make_city()
    client = Client()
    answer = client.get("/desk/?state=done")
    assert answer.headers["Location"] == "/desk/sign-in/?next=/desk/%3Fstate%3Ddone"
    page(client, "/desk/sign-in/?next=/desk/%3Fstate%3Ddone")
    staff = sit(city).staff
    staff.user.set_password("correct horse battery")
    staff.user.save()
    sent = {"login": staff.user.email, "password": "correct horse battery", "next": "/desk/?state=done"}
    assert client.post("/desk/sign-in/", sent).headers["Location"] == "/desk/?state=done"
    page(client, "/desk/")
    client.post("/desk/sign-out/")
    assert client.get("/desk/").status_code == 302


def test_nobody_signs_up(desk: Sitting) -> None:
    assert Client().get("/accounts/signup/").status_code == 404
    assert Client().get("/desk/sign-up/").status_code == 404


def test_somebody_who_works_for_no_city_is_told_so(desk: Sitting) -> None:
    desk.staff.is_active = False
    desk.staff.save()
    assert "do not work for a city" in page(desk.client, "/desk/", status=403).text


def test_a_role_without_the_permission_is_refused() -> None:
    city = make_city()
    auditor = sit(city, Role.AUDITOR)
    page(auditor.client, "/desk/file/", status=403)
    request = city.file()
    assert auditor.act(request, "comment", text="no") == 403
    text = page(auditor.client, f"/desk/requests/{request.number}/").text
    assert "What you can do now" not in text


def test_another_citys_requests_residents_and_teams_are_not_there(desk: Sitting) -> None:
    other = make_city("otherville")
    theirs = other.file()
    theirs_too = residents.create(other.jurisdiction, by=other.system, name="Demo Resident")
    while desk.city.file().number <= theirs.number:
        pass
    unknown = sit(make_city("thirdville"), name="third")
    for path in (f"requests/{theirs.number}/", f"residents/{theirs_too.pk}/", f"requests/{theirs.number}/service/"):
        page(unknown.client, f"/desk/{path}", status=404)
    page(unknown.client, "/desk/queue/nowhere/", status=404)
    page(unknown.client, f"/desk/requests/{theirs.number}/start/", status=404, data={"version": "1"}, post=True)
    theirs.refresh_from_db()
    assert theirs.state == "received"
    page(unknown.client, f"/desk/?resident={theirs_too.pk}", status=404)


def test_who_works_for_two_cities_chooses_one() -> None:
    first, second = sit(name="both"), make_city("secondville")
    staff = first.staff
    staff.pk, staff.jurisdiction = None, second.jurisdiction
    staff.department = None
    staff.save()
    request = second.file(description="only in the second city")
    assert first.client.get("/desk/").headers["Location"] == "/desk/cities/"
    page(first.client, "/desk/cities/")
    assert first.client.post("/desk/cities/", {"city": "secondville"}).status_code == 302
    assert "Secondville" in page(first.client, "/desk/").text
    assert "only in the second city" in page(first.client, f"/desk/requests/{request.number}/").text
    assert first.client.post("/desk/cities/", {"city": "nowhere"}).status_code == 404


def test_the_list_is_filtered(desk: Sitting) -> None:
    near, far = desk.city.file(address="1 Elm St"), desk.city.file(address="9 Oak St", answers={"danger": "no"})
    desk.city.done(far)
    assert far.number not in page(desk.client, "/desk/").text
    assert near.number in page(desk.client, "/desk/?state=open&q=1+elm").text
    assert far.number in page(desk.client, "/desk/?state=done").text
    assert near.number not in page(desk.client, "/desk/?team=south").text
    assert near.number not in page(desk.client, "/desk/?service=sign").text
    assert near.number in page(desk.client, "/desk/?overdue=on").text


def test_the_list_is_filtered_by_area(desk: Sitting) -> None:
    load_boundaries(desk.city.jurisdiction, "district", squares(2), by=desk.city.system)
    placed = desk.city.file(latitude=32.05, longitude=-96.95)
    assert placed.number in page(desk.client, "/desk/?area=district:1").text
    assert placed.number not in page(desk.client, "/desk/?area=district:2").text


@pytest.mark.parametrize("query", ["state=nonsense", "team=unknown", "q=%00", "resident=99999999999999999999"])
def test_an_odd_filter_is_named(desk: Sitting, query: str) -> None:
    page(desk.client, f"/desk/?{query}", status=422)


def test_an_odd_cursor_is_refused(desk: Sitting) -> None:
    page(desk.client, "/desk/?before=nonsense", status=422)
    page(desk.client, "/desk/queue/north/?after=nonsense", status=422)


def test_long_lists_come_in_pages_without_loss(desk: Sitting) -> None:
    numbers = {desk.city.file(at=MONDAY + timedelta(minutes=i)).number for i in range(103)}
    for start, name in (("/desk/", "Older"), ("/desk/queue/north/", "Later")):
        seen: list[str] = []
        path = start
        while path:
            content = desk.client.get(path).content.decode()
            seen += [part.split("/")[0] for part in content.split("/desk/requests/")[1:]]
            link = content.split('rel="next" href="')
            path = start + link[1].split('"')[0].replace("&amp;", "&") if len(link) > 1 else ""
            assert path == "" or name in content
        assert len(seen) == len(set(seen)) == 103
        assert set(seen) == numbers


@pytest.mark.parametrize("path", ["/desk/", "/desk/queue/north/", "/desk/search/?q=elm", "/desk/failures/"])
def test_a_list_asks_the_same_number_of_times_whatever_its_length(desk: Sitting, path: str) -> None:
    desk.city.file()
    count = same_number_of_queries(lambda: desk.client.get(path), lambda: [desk.city.file() for _ in range(5)])
    assert count <= 15


def test_the_request_page_asks_the_same_number_of_times_whatever_its_history(desk: Sitting) -> None:
    request = desk.city.file()
    services.comment(request, text="one", by=desk.city.member)

    def more() -> None:
        for text in ("two", "three"):
            services.comment(request, text=text, by=desk.city.concierge)
        desk.city.done(request)
        services.dispute(request, by=desk.city.concierge, at=MONDAY + timedelta(days=1))
        for _ in range(2):
            services.join(desk.city.file(), leading=request, by=desk.city.concierge)

    def show() -> None:
        assert desk.client.get(f"/desk/requests/{request.number}/").status_code == 200

    assert same_number_of_queries(show, more) <= 26


def test_a_resident_is_found_by_name_and_phone_with_all_requests(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    person = residents.create(
        city, by=desk.city.system, name="Demo Resident", contact_points=[PointInput("mobile", "214-555-0123")]
    )
    request = desk.city.file(resident=person)
    for words in ("demo resid", "2145550123"):
        assert "Demo Resident" in page(desk.client, "/desk/search/", data={"q": words}).text
    assert request.number in page(desk.client, f"/desk/residents/{person.pk}/").text
    assert desk.client.get("/desk/search/", {"q": request.number}).headers["Location"].endswith(f"{request.number}/")


def test_the_queue_counts_and_begins_with_the_earliest_promise(desk: Sitting) -> None:
    later, sooner = desk.city.file(at=now()), desk.city.file(at=MONDAY)
    text = page(desk.client, "/desk/queue/north/").text
    assert text.index(sooner.number) < text.index(later.number)
    assert "late" in text
    assert desk.client.get("/desk/queue/").headers["Location"] == "/desk/queue/north/"


@pytest.mark.real_data
def test_imported_requests_have_their_pages_too(desk: Sitting) -> None:
    city = desk.city.jurisdiction
    file = real_data("service_requests/san_antonio_311_78_rows.csv")
    assert imports.run(city, file, imports.load("san_antonio"), by=desk.city.system).created > 50
    numbers = list(Request.objects.filter(jurisdiction=city).values_list("number", flat=True))
    for number in numbers[:: len(numbers) // 8]:
        page(desk.client, f"/desk/requests/{number}/")
    page(desk.client, "/desk/?state=")
    for code in Request.objects.filter(jurisdiction=city).values_list("team__code", flat=True).distinct()[:3]:
        page(desk.client, f"/desk/queue/{code}/")
