"""YAML is read strictly: what is written is what is meant, or a sentence with the line says why not."""

from __future__ import annotations

import pytest

from loop311.catalog.files.parsing import MAX_VALUES, Unreadable, Value, parse


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("08:00", "08:00"),
        ("17:30:00", "17:30:00"),
        ("2026-07-04", "2026-07-04"),
        ("0123", "0123"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".5", ".5"),
        ("=", "="),
        ("1e999", "1e999"),
        ("9" * 30, "9" * 30),
        ("true", True),
        ("'true'", "true"),
        ("'12'", "12"),
        ("12", 12),
        ("-3", -3),
        ("2.50", 2.5),
        ("1e3", 1000.0),
        ("null", None),
        ("", None),
        ('""', ""),
        ("'~'", "~"),
    ],
)
def test_a_plain_word_is_what_it_looks_like(written: str, meant: Value) -> None:
    assert parse(f"key: {written}\n").value == {"key": meant}
    assert type(parse(f"[{written or 'null'}]").value[0]) is type(meant)  # type: ignore[index]


def test_a_key_is_always_text() -> None:
    assert parse("on: 1\nno: 2\n7: 3\ntrue: 4\n").value == {"on": 1, "no": 2, "7": 3, "true": 4}


def test_every_value_remembers_its_line() -> None:
    lines = parse("a:\n  - b: 1\n    c:\n      - 2\n").lines
    assert lines[("a",)] == 1
    assert lines[("a", 0, "b")] == 2
    assert lines[("a", 0, "c", 0)] == 4


def test_an_alias_repeats_its_anchor() -> None:
    parsed = parse("a: &routes\n  - {team: x}\nb: *routes\n")
    assert parsed.value == {"a": [{"team": "x"}], "b": [{"team": "x"}]}
    assert parsed.lines[("b",)] == 3


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: *nobody\n", 2, "&nobody"),
        ("a: &a\n  - *a\n", 2, "&a"),
        ("a: 1\n<<: {b: 2}\n", 2, "Merge"),
        ("a: !!python/object:os.system {}\n", 1, "Tags"),
        ("a: 1\nb: 2\na: 3\n", 3, "twice"),
        ("a: 1\n---\nb: 2\n", 2, "several documents"),
        ("? [a]\n: 1\n", 1, "plain text"),
        ("a: 1\nb: [\n", 3, "not YAML"),
        ("\tb: 1\n", 1, "not YAML"),
        ("a: \x01\n", 1, "characters"),
        ("[" * 200, 1, "deeply"),
    ],
)
def test_what_is_not_read_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as refused:
        parse(text)
    assert refused.value.line == line


def test_a_few_aliases_cannot_grow_without_bound() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(Unreadable, match=str(MAX_VALUES)):
        parse("\n".join(levels))


def test_aliases_cannot_build_a_deep_tower() -> None:
    levels = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60))]
    with pytest.raises(Unreadable, match="deeply"):
        parse("\n".join(levels))
