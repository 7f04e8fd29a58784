"""The only writers of this room's tables."""

from loop311.knowledge.services.feedback import get_feedback, rate, settle
from loop311.knowledge.services.gaps import (
    answer_gap,
    ask_again,
    dismiss_gap,
    get_gap,
    mark_late,
    reassign_gap,
    report_gap,
    rules_of,
    set_rules,
)
from loop311.knowledge.services.publishing import ask_review, check_translation, confirm, publish, retire, send_back
from loop311.knowledge.services.writing import current_text, draft, get_article, get_version

__all__ = [
    "answer_gap",
    "ask_again",
    "ask_review",
    "check_translation",
    "confirm",
    "current_text",
    "dismiss_gap",
    "draft",
    "get_article",
    "get_feedback",
    "get_gap",
    "get_version",
    "mark_late",
    "publish",
    "rate",
    "reassign_gap",
    "report_gap",
    "retire",
    "rules_of",
    "send_back",
    "set_rules",
    "settle",
]
