"""A folder of markdown files and a city's articles say the same, in both directions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.accounts.testing import a_city, a_member, a_team
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.problems import Conflict, Invalid
from loop311.knowledge.files import STARTER, Owner, Written, read_folder, write_folder
from loop311.knowledge.models import Article, Version
from loop311.knowledge.policies import ANSWER_LINE, Audience, Content, Review, Words, clean_words
from loop311.knowledge.queries import search
from loop311.knowledge.services.loading import exported, load
from loop311.knowledge.testing import an_article, words

_SAID = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs", "Co", "Cn"), exclude_characters="\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
    ),
    min_size=1,
    max_size=60,
)
_LINE = _SAID.map(lambda text: "".join(c for c in text if c not in "<>|`*#[]").replace("www.", "").replace("://", ""))


@st.composite
def _articles(draw: st.DrawFn) -> Written:
    def text(language: str, review: Review) -> Words:
        return clean_words(
            Words(
                language=language,
                title=f"t {draw(_SAID)}",
                answer=f"a {draw(_LINE)}\nb {draw(_LINE)}"[: ANSWER_LINE * 2],
                body=draw(st.text(st.sampled_from("ab-: \n#'\"|\\{}é\t"), max_size=80)),
                keywords=tuple(draw(st.lists(_SAID, max_size=3))),
                review=review,
            )
        )

    texts = [text("en", Review.ORIGINAL)]
    texts += [text("es", draw(st.sampled_from([Review.TRANSLATED, Review.CHECKED])))] if draw(st.booleans()) else []
    checked = draw(st.none() | st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - made aware there
    return Written(
        code="an-article",
        owner=draw(st.sampled_from([Owner(team="streets"), Owner(email="owner@example.org")])),
        content=Content(
            topic="streets",
            audience=draw(st.sampled_from(Audience)),
            texts=tuple(texts),
            owner_team=0,
            services=draw(st.sampled_from([(), ("pothole",), ("pothole", "sign")])),
            expires_on=draw(st.none() | st.dates()),
        ),
        checked_at=checked,
        checked_by="system" if checked else "",
    )


@given(_articles())
def test_what_is_written_is_read_back_without_loss(tmp_path_factory: pytest.TempPathFactory, article: Written) -> None:
    folder = tmp_path_factory.mktemp("articles")
    write_folder([article], folder)
    assert read_folder(folder) == [article]


def _file(folder: Path, name: str = "a.en.md", front: str = "", body: str = "Text.") -> Path:
    base = "article: a\nlanguage: en\nreview: original\ntitle: T\nanswer: A.\ntopic: t\naudience: public\nowner: team:streets\n"
    (folder / name).write_text(f"---\n{front or base}---\n{body}\n")
    return folder


@pytest.mark.parametrize(
    ("front", "sentence"),
    [
        ("article: a\n", "lacks language, title"),
        ("colour: red\n", "There is no key colour"),
        ("services: pothole\n", "list of texts"),
        ("title: 5\n", "must be a text"),
        ("- one\n", "keys with values"),
        ("a: [\n", "not YAML"),
        (
            "article: ../../etc\nlanguage: en\nreview: original\ntitle: T\nanswer: A\ntopic: t\naudience: public\nowner: x\n",
            "code",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, front: str, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_folder(_file(tmp_path, front=front))
    assert [(field.field.split(":")[0], sentence in field.detail) for field in caught.value.fields] == [
        ("a.en.md", True)
    ]


def test_values_that_are_on_no_list_are_named_too(tmp_path: Path) -> None:
    good = _file(tmp_path).joinpath("a.en.md").read_text()
    (tmp_path / "a.en.md").write_text(good.replace("public", "everybody").replace("original", "perfect"))
    with pytest.raises(Invalid) as caught:
        read_folder(tmp_path)
    assert {field.detail.split()[0] for field in caught.value.fields} == {"review", "audience"}


def test_the_files_of_one_article_agree(tmp_path: Path) -> None:
    good = _file(tmp_path).joinpath("a.en.md").read_text()
    other = good.replace("language: en", "language: es").replace("review: original", "review: translated")
    (tmp_path / "a.es.md").write_text(other.replace("topic: t", "topic: other"))
    with pytest.raises(Invalid) as caught:
        read_folder(tmp_path)
    assert [field.detail for field in caught.value.fields] == ["topic differs from a.en.md."]


@pytest.mark.parametrize("text", ["No front matter", "---\nnever: ends\n", ""])
def test_what_is_no_article_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.md").write_text(text)
    with pytest.raises(Invalid):
        read_folder(tmp_path)


def test_files_that_are_huge_or_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.md").write_text("---\n" + "x" * 200_000)
    with pytest.raises(Invalid) as caught:
        read_folder(tmp_path)
    assert [field.field for field in caught.value.fields] == ["a.md:1", "b.md:1"]
    with pytest.raises(Invalid):
        read_folder(tmp_path / "nowhere")


# --- Into a city and out of it -----------------------------------------------------------------------------------------


def _city_with_owner() -> Jurisdiction:
    city = a_city()
    a_team(city, "streets")
    return city


@pytest.mark.django_db
def test_export_and_load_are_a_round_trip_and_the_second_time_changes_nothing(tmp_path: Path) -> None:
    city, second = _city_with_owner(), _city_with_owner()
    member = a_member(city)
    an_article(
        city, "garbage", words(keywords=("trash",)), words("Basura", "es"), services=(), expires_on=date(2031, 1, 2)
    )
    an_article(city, "mine", words("Mine"), owner_team=None, owner_staff=member.pk, audience="staff")
    write_folder(exported(city), tmp_path)
    articles = read_folder(tmp_path)
    found = load(city, articles, by=system(city.pk))
    assert (found.read, found.same) == (2, 2)
    assert Version.objects.filter(jurisdiction=city).count() == 2
    a_team(second, "knowledge-owners")
    with pytest.raises(Invalid, match=member.user.email):
        load(second, articles, by=system(second.pk))


@pytest.mark.django_db
def test_loading_publishes_what_says_something_else_and_leaves_the_rest(tmp_path: Path) -> None:
    city = _city_with_owner()
    _file(tmp_path)
    first = load(city, read_folder(tmp_path), by=system(city.pk))
    assert (first.added, first.changed, first.same) == (1, 0, 0)
    assert search(city.pk, "text", language="en")[0].checked_at is None
    text = (tmp_path / "a.en.md").read_text()
    (tmp_path / "a.en.md").write_text(text.replace("Text.", "Different words."))
    second = load(city, read_folder(tmp_path), by=system(city.pk))
    assert (second.added, second.changed, second.same) == (0, 1, 0)
    assert [hit.code for hit in search(city.pk, "different", language="en")] == ["a"]
    (tmp_path / "a.en.md").write_text(text.replace("review", "checked_at: 2026-05-01T10:00:00+00:00\nreview"))
    assert load(city, read_folder(tmp_path), by=system(city.pk)).changed == 1
    assert load(city, read_folder(tmp_path), by=system(city.pk)).same == 1


@pytest.mark.django_db
def test_as_drafts_leaves_publishing_to_a_second_person(tmp_path: Path) -> None:
    city = _city_with_owner()
    articles = read_folder(_file(tmp_path))
    assert load(city, articles, by=system(city.pk), as_drafts=True).added == 1
    assert Article.objects.get().published is None
    assert load(city, articles, by=system(city.pk), as_drafts=True).same == 1


@pytest.mark.django_db
def test_texts_in_a_language_the_city_does_not_speak_are_left_out_and_said(tmp_path: Path) -> None:
    city = a_city(languages=["es"])
    a_team(city, "streets")
    good = _file(tmp_path).joinpath("a.en.md").read_text()
    (tmp_path / "a.es.md").write_text(good.replace("language: en", "language: es").replace("original", "translated"))
    found = load(city, read_folder(tmp_path), by=system(city.pk))
    assert found.left_out == ("a.en",)
    assert Article.objects.get().published.texts.get().review == "original"


def test_the_starter_is_sound_and_speaks_english_and_spanish() -> None:
    articles = read_folder(STARTER)
    assert all({text.language for text in article.content.texts} == {"en", "es"} for article in articles)
    assert all(article.checked_at is None for article in articles), "a city checks it before it trusts it"


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(Conflict):
        write_folder([], tmp_path)
