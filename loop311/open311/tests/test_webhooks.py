"""Webhooks: a system with a key of a city makes, lists and ends them."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from defusedxml import ElementTree

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_member, a_secret
from loop311.kit.clock import now
from loop311.kit.commands import needs_database
from loop311.kit.testing import browser, same_number_of_queries
from loop311.open311 import subscribing
from loop311.open311.commands import open311
from loop311.open311.models import Webhook
from loop311.open311.testing import V2, said, send
from loop311.requests.models import Request
from loop311.requests.testing import City, make_city

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/loop311?t=1"


def subscribe(key: str, status: int = 200, **form: Any) -> Any:
    answer = send("webhooks.json", {"api_key": key, "url": URL, **form}, status)
    return answer[0] if status == 200 else said(answer)


def own(key: str, status: int = 200, path: str = "webhooks.json", query: str = "") -> Any:
    response = browser().get(f"{V2}/{path}{query}", headers={"X-API-Key": key})
    assert response.status_code == status, response.content
    assert status != 200 or response["Cache-Control"] == "no-store"
    return response.json()


def test_the_secret_is_said_once_and_is_not_in_the_database(city: City, key: str) -> None:
    made = subscribe(key)
    assert made["secret"].startswith("whsec_")
    [shown] = own(key)
    assert "secret" not in shown
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    row = Webhook.objects.get()
    assert made["secret"] not in repr(vars(row))
    assert subscribing.sealer().open(row.sealed_secret) == made["secret"]


def test_what_is_wanted_is_kept(city: City, key: str) -> None:
    request = city.file(at=now())
    assert subscribe(key, service_code="pothole")["service_codes"] == ["pothole"]
    assert subscribe(key, service_request_id=request.number)["service_request_ids"] == [request.number]
    assert subscribe(key, mine="true")["mine"] is True
    assert [each["state"] for each in own(key)] == ["active"] * 3


def test_the_same_in_xml(city: City, key: str) -> None:
    response = browser().post(f"{V2}/webhooks.xml", {"api_key": key, "url": URL, "service_code": "pothole"})
    [webhook] = ElementTree.fromstring(response.content)
    assert (webhook.findtext("state"), webhook.findtext("service_codes/service_code")) == ("active", "pothole")
    assert (webhook.findtext("secret") or "").startswith("whsec_")


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "ftp://example.org/", "http://example.org/", "https://10.1.2.3/", "https://2130706434x:0/",
     "https://169.254.169.254/latest", "https://a:b@example.org/", "https://[fd00::1]/", "https://0xA9FEA9FE/"],
)  # fmt: skip
def test_an_address_that_is_never_called_is_refused(city: City, key: str, url: str) -> None:
    assert "url" in subscribe(key, 400, url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost:9/", "https://127.1/", "https://localhost./"])
def test_this_machine_may_be_called_by_developers_only(city: City, key: str, settings: Any, url: str) -> None:
    subscribe(key, url=url)
    settings.PRODUCTION = True
    assert "open internet" in subscribe(key, 400, url=url)


@pytest.mark.parametrize(
    ("form", "word"),
    [({"service_code": "nonsense"}, "service_code"), ({"service_code": "pothole,nonsense"}, "nonsense"),
     ({"service_request_id": "99-1"}, "service_request_id"), ({"mine": "perhaps"}, "mine"),
     ({"mine": "true", "service_request_id": "1"}, "mine"), ({"service_request_id": ",".join(map(str, range(101)))}, "100")],
)  # fmt: skip
def test_what_cannot_be_wanted_is_named(city: City, key: str, form: dict[str, str], word: str) -> None:
    assert word in subscribe(key, 400, **form)


def test_a_hidden_request_cannot_be_named(city: City, key: str) -> None:
    request = city.file(at=now())
    Request.objects.filter(pk=request.pk).update(publicity="hidden", version=2)
    assert "service_request_id" in subscribe(key, 400, service_request_id=request.number)


def test_one_key_has_twenty_at_most_each_once(city: City, key: str) -> None:
    subscribe(key)
    assert "already" in subscribe(key, 400)
    for number in range(subscribing.MOST - 1):
        subscribe(key, url=f"{URL}{number}")
    assert "20" in subscribe(key, 400, url=f"{URL}x")
    subscribe(a_secret(city.jurisdiction, ["requests.file"]))


def test_who_has_no_key_for_it_is_403(city: City, key: str) -> None:
    person = a_secret(city.jurisdiction, staff=a_member(city.jurisdiction, Role.ADMINISTRATOR))
    for wrong in ("", "l311_wrong", a_secret(city.jurisdiction, ["requests.read"]), person):
        subscribe(wrong, 403)
        own(wrong, 403)


def test_what_belongs_to_another_key_or_city_is_not_there(city: City, key: str) -> None:
    webhook = subscribe(key)["webhook_id"]
    other = make_city("oakville").jurisdiction
    foreign = a_secret(other, ["requests.file"])
    for stranger, where in ((a_secret(city.jurisdiction, ["requests.file"]), "springfield"), (foreign, "oakville")):
        assert own(stranger, query=f"?jurisdiction_id={where}") == []
        own(stranger, 404, f"webhooks/{webhook}.json", f"?jurisdiction_id={where}")
        for method, path in (("DELETE", f"{webhook}.json"), ("POST", f"{webhook}/delete.json")):
            address = f"{V2}/webhooks/{path}?jurisdiction_id={where}"
            assert browser().generic(method, address, headers={"X-API-Key": stranger}).status_code == 404
    own(foreign, 403, query="?jurisdiction_id=springfield")
    assert Webhook.objects.get().ended_at is None


@pytest.mark.parametrize(("method", "tail"), [("DELETE", ".json"), ("POST", "/delete.json")])
def test_one_that_is_ended_says_so_for_a_month(city: City, key: str, method: str, tail: str) -> None:
    webhook = subscribe(key)["webhook_id"]
    response = browser().generic(method, f"{V2}/webhooks/{webhook}{tail}", headers={"X-API-Key": key})
    assert response.json()[0]["state"] == "ended"
    [shown] = own(key)
    assert (shown["state"], shown["ended_reason"]) == ("ended", "Its owner ended it.")
    assert Webhook.objects.get().sealed_secret == ""
    subscribe(key)


def test_any_page_may_ask_whether_it_may_delete(city: City) -> None:
    response = browser().options(f"{V2}/webhooks/1.json")
    assert response["Access-Control-Allow-Methods"] == "GET, HEAD, DELETE"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert browser().delete(f"{V2}/requests.json").status_code == 405


def test_a_key_that_comes_in_the_clear_is_not_taken(city: City, key: str, settings: Any) -> None:
    settings.BASE_URL = "https://311.example.org"
    subscribe(key, 403)
    own(key, 403)


def test_a_list_asks_as_often_however_long_it_is(city: City, key: str) -> None:
    subscribe(key)
    same_number_of_queries(lambda: own(key), lambda: [subscribe(key, url=f"{URL}{n}") for n in range(5)])


def test_the_city_sees_and_ends_them(city: City, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(key, url="https://hooks.example.org/?token=very-secret")
    webhook = Webhook.objects.get()

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(open311, ["webhooks", "springfield", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    assert "hooks.example.org" in run()
    assert "very-secret" not in run() + run("--json")
    assert "The city ended it." in run("--end", str(webhook.pk))
    assert needs_database(open311)
