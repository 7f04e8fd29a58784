"""What can be said of articles and gaps in the ledger: kind -> meaning. Ids, codes and dates only, never a word of a text."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "article.drafted": "A new version was written; nobody but its readers at the desk sees it yet.",
    "article.review_asked": "The version is ready for a second person.",
    "article.sent_back": "The second person wants something mended first.",
    "article.published": "A second person has read the version: it is the city's answer from now on.",
    "article.checked": "Somebody has looked: the published answer still holds.",
    "article.translation_checked": "Somebody else has read the translation.",
    "article.retired": "It is no answer of the city any more.",
    "article.rated": "Somebody said whether the answer helped, is wrong or out of date.",
    "article.rating_settled": "What was said about the answer has been looked at.",
    "gap.opened": "Nobody knows this yet; the content owner's team has until `due_at`.",
    "gap.asked_again": "Another caller asked the same.",
    "gap.answered": "An article answers it.",
    "gap.dismissed": "It needs no article, for a reason on the list.",
    "gap.reassigned": "Another team finds the answer.",
    "gap.late": "The time is over and nobody has answered. Said once.",
    "knowledge.rules_set": "Who answers gaps in this city, and how soon, was set.",
}
