"""A caller's words into services: names, keywords, groups and descriptions of one catalogue version in all its languages.

Pure and in process; built once per version. Tolerant of typing: the word being typed may be a beginning, a letter may be
wrong, missing or one too many, two words may be written as one. Accents and case do not count.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from loop311.catalog.definitions import Catalogue, Service

MOST_WORDS = 60
"""Of what somebody typed; a caller's whole story tells no more in its second half."""

NAME, KEYWORD, GROUP, DESCRIPTION = 1.0, 0.9, 0.3, 0.35
"""What a word counts by where it stands."""

PHRASE = 2.0
"""A name or keyword that was said as a whole counts its words again, by this much."""

NEAR_BEST = 0.35
"""Shown are services with at least this share of the best one's score."""

LEAST = 0.3
"""What a service must reach, of the score of the rarest word of its own name said exactly."""

_WORD = re.compile(r"[^\W_]+")
_SILENT_WORDS = """
a about across after again along also am an and any anymore are around as at away back be been before being but by
came can cannot cant come could d day days did do does doesn doesnt don dont for from get getting go going gone got
had has hasnt have he her here him his how i id if ill im in into is isnt it its ive just keep keeps know ll lot lots
make me month months more my near need needs never next not now of off on one or our over people please put
re really s same see seems she should since so some somebody someone something still t than thank thanks that thats the
their them then there theres these they thing this those time to today too two until up us use ve very want wants was
wasnt way we week weeks well were what when where which while who will with would year years yesterday you your

a al algo alguien aqui ayer bien como con cuando de del desde dia dias donde e el ella ellos en era es esa ese eso esta
estaba estan este esto estoy fue ha hace han hasta hay hola hoy la las le les lo los mas me mi mis muy nada ni nos
nuestra nuestro o para pero por porque puede que quien quiero se semana si sin sobre son su sus tambien tengo tiene
tienen todo todos tu un una unas uno unos y ya yo
"""
_SILENT = frozenset(_SILENT_WORDS.split())
"""Words of English and Spanish that say nothing of what somebody wants."""


def fold(text: str) -> str:
    """Lower case, without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: folded, apostrophes gone, punctuation between words."""
    return _WORD.findall(fold(text).replace("'", "").replace("\u2019", ""))


def _telling(words: Sequence[str]) -> list[str]:
    """Without the words that say nothing, unless there are no others."""
    return [word for word in words if word not in _SILENT] or list(words)


@dataclass(frozen=True, slots=True)
class Found:
    """A service and how well the words fit it; more is better, comparable within one search only."""

    code: str
    score: float


@dataclass(slots=True)
class _Entry:
    """One service: its words, and its names and keywords as sets of words, with what they count."""

    code: str
    weights: dict[str, float] = field(default_factory=dict)
    phrases: dict[frozenset[str], float] = field(default_factory=dict)

    def add(self, text: str, weight: float, *, is_phrase: bool) -> None:
        words = _telling(words_of(text))
        for word in words + (_joined(words) if is_phrase else []):
            self.weights[word] = max(self.weights.get(word, 0.0), weight)
        if is_phrase and words:
            self.phrases.setdefault(frozenset(words), weight)  # names come first


def _joined(words: Sequence[str]) -> list[str]:
    """Neighbours written as one: 'street light' is also 'streetlight'."""
    return [first + second for first, second in pairwise(words)]


@dataclass(frozen=True, slots=True)
class Finder:
    """Everything of one version that can be said for a service."""

    _entries: tuple[_Entry, ...]
    _holders: dict[str, tuple[tuple[int, float], ...]]
    """Word -> (place of the entry, what the word counts there)."""
    _rarity: dict[str, float]
    _vocabulary: _Vocabulary

    @classmethod
    def of(cls, catalogue: Catalogue) -> Finder:
        groups = {group.code: group.names for group in catalogue.groups}
        entries = tuple(_entry(s, groups.get(s.group, {}).values()) for s in catalogue.services if not s.historical)
        holders: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, entry in enumerate(entries):
            for word, weight in entry.weights.items():
                holders[word].append((place, weight))
        rarity = {word: _rarity(sum(w for _, w in found), len(entries)) for word, found in holders.items()}
        held = {word: tuple(found) for word, found in holders.items()}
        return cls(entries, held, rarity, _Vocabulary.of(held))

    def find(self, words: str, limit: int = 10) -> list[Found]:
        """The services the words fit, best first; none for words that fit nothing."""
        said = _telling(words_of(words)[:MOST_WORDS])
        if not said:
            return []
        scores: dict[int, float] = defaultdict(float)
        heard: dict[str, float] = {}
        for reading in _readings(said):
            self._hear(reading, scores, heard)
        self._reward_phrases(scores, heard)
        return self._best(scores, limit)

    def _hear(self, reading: _Reading, scores: dict[int, float], heard: dict[str, float]) -> None:
        """Add what one word (or two as one) brings to each service: the best of the words it may stand for."""
        brings: dict[int, float] = {}
        for word, likeness in self._vocabulary.like(reading.word, may_go_on=reading.is_last):
            if reading.is_pair and likeness < 1.0:
                continue
            heard[word] = max(heard.get(word, 0.0), likeness)
            worth = likeness * self._rarity[word]
            for place, weight in self._holders[word]:
                brings[place] = max(brings.get(place, 0.0), worth * weight)
        for place, worth in brings.items():
            scores[place] += worth

    def _reward_phrases(self, scores: dict[int, float], heard: dict[str, float]) -> None:
        for place in scores:
            entry = self._entries[place]
            said = (weight * self._said(phrase, heard) for phrase, weight in entry.phrases.items())
            scores[place] += PHRASE * max(said, default=0.0)

    def _said(self, phrase: frozenset[str], heard: dict[str, float]) -> float:
        """How much of a name or keyword was said: its words' worth, by the square of the share that was heard."""
        whole = sum(self._rarity[word] for word in phrase)
        part = sum(self._rarity[word] * heard.get(word, 0.0) for word in phrase)
        return part * part / whole if whole else 0.0

    def _best(self, scores: dict[int, float], limit: int) -> list[Found]:
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        if not ranked:
            return []
        least = max(ranked[0][1] * NEAR_BEST, LEAST)
        return [Found(self._entries[place].code, score) for place, score in ranked[:limit] if score >= least]


def _entry(service: Service, group_names: Iterable[str]) -> _Entry:
    entry = _Entry(service.code)
    for name in service.names.values():
        entry.add(name, NAME, is_phrase=True)
    for keyword in (word for words in service.keywords.values() for word in words):
        entry.add(keyword, KEYWORD, is_phrase=True)
    for name in group_names:
        entry.add(name, GROUP, is_phrase=False)
    for text in service.descriptions.values():
        entry.add(text, DESCRIPTION, is_phrase=False)
    return entry


def _rarity(held: float, entries: int) -> float:
    """A word that many services have says little: 1 for a word of one service, falling towards 0 for a word of all."""
    return math.log(1 + entries / (0.5 + held)) / math.log(1 + entries / 1.5)


# --- What was typed --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    word: str
    is_last: bool = False
    """It may not be finished yet."""
    is_pair: bool = False
    """Two words as one: 'pot hole'."""


def _readings(said: Sequence[str]) -> Iterator[_Reading]:
    for word in dict.fromkeys(said):
        yield _Reading(word, is_last=word == said[-1])
    for pair in dict.fromkeys(_joined(said)):
        yield _Reading(pair, is_pair=True)


# --- Words that are alike --------------------------------------------------------------------------------------------------

_SHORTEST_BEGINNING = 2
_SHORTEST_STEM = 4
_LONGEST_ENDING = 3
_BEGUN, _INFLECTED, _MISTYPED = 0.8, 0.85, 0.6


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """All words of the catalogue, found by their pieces of three letters."""

    _words: tuple[str, ...]
    _by_piece: dict[str, tuple[int, ...]]
    _pieces: tuple[int, ...]
    """How many each word has."""

    @classmethod
    def of(cls, words: Iterable[str]) -> _Vocabulary:
        listed = tuple(sorted(words))
        by_piece: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(listed):
            for piece in _pieces(word):
                by_piece[piece].append(place)
        return cls(listed, {p: tuple(found) for p, found in by_piece.items()}, tuple(len(_pieces(w)) for w in listed))

    def like(self, said: str, *, may_go_on: bool) -> list[tuple[str, float]]:
        """Words that `said` may stand for, with their likeness: 1 for itself. `may_go_on`: it may be only a beginning."""
        found = [(word, _likeness(said, word, may_go_on=may_go_on)) for word in self._candidates(said)]
        return [(word, likeness) for word, likeness in found if likeness > 0]

    def _candidates(self, said: str) -> list[str]:
        """Words that share enough pieces: two letters wrong spoil at most six of them."""
        shared: Counter[int] = Counter()
        for piece in _pieces(said):
            shared.update(self._by_piece.get(piece, ()))
        return [self._words[place] for place, count in shared.items() if count >= min(2, len(said))]


def _pieces(word: str) -> frozenset[str]:
    """'pot' -> {'  p', ' po', 'pot', 'ot '}."""
    padded = f"  {word} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


def _likeness(said: str, word: str, *, may_go_on: bool) -> float:
    if said == word:
        return 1.0
    if word.startswith(said) and may_go_on and len(said) >= _SHORTEST_BEGINNING:
        return _BEGUN + 0.15 * len(said) / len(word)
    if _inflected(said, word):
        return _INFLECTED
    allowed = _typing_errors(min(len(said), len(word)))
    if allowed == 0 or abs(len(said) - len(word)) > allowed:
        return 0.0
    errors = _distance(said, word, allowed)
    return _MISTYPED / errors if errors <= allowed else 0.0


def _inflected(said: str, word: str) -> bool:
    """One is the other with an ending: 'potholes' and 'pothole', 'flooding' and 'flooded'."""
    common = 0
    for left, right in zip(said, word, strict=False):
        if left != right:
            break
        common += 1
    longest = max(len(said), len(word))
    return common >= _SHORTEST_STEM and longest - common <= _LONGEST_ENDING and common * 3 >= longest * 2


def _typing_errors(length: int) -> int:
    """How many letters may be wrong in a word."""
    if length < _SHORTEST_STEM:
        return 0
    return 1 if length < 8 else 2


def _distance(said: str, word: str, most: int) -> int:
    """Letters changed, missing, one too many or swapped with the next; beyond `most` any larger number."""
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, left in enumerate(said, 1):
        new = [i]
        for j, right in enumerate(word, 1):
            cost = min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (left != right))
            if i > 1 and j > 1 and left == word[j - 2] and said[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            new.append(cost)
        if min(new) > most:
            return most + 1
        before, row = row, new
    return row[-1]
