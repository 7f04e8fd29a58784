"""What the city knows, as Open311 Inquiry v1 tells it: services of the catalogue, landmarks, public answers. Reading only."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models import QuerySet

from loop311.catalog.definitions import Service
from loop311.catalog.index import CatalogueIndex
from loop311.georeport.model import (
    Facility,
    FacilityDetail,
    InquiryService,
    InquiryServiceDetail,
    WebAction,
    WebFaq,
    WebFaqDetail,
)
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.knowledge.markup import to_html
from loop311.knowledge.models import Text
from loop311.knowledge.policies import Audience
from loop311.open311 import offering
from loop311.places.models import AddressPoint

MOST = 2_000
"""Members of one list."""
ALL = frozenset({"all", "web", "mobile"})
"""Categories that hold everything; whatever is told here is told on every screen."""
_LANDMARK = "landmark"


def is_service_category(index: CatalogueIndex, name: str) -> bool:
    return name in ALL or name in index.groups


def services(index: CatalogueIndex, category: str, language: str) -> list[InquiryService]:
    """Of a group of the catalogue, or all."""
    offered = offering.offered(index)
    return [_service(index, each, language) for each in offered if category in ALL or each.group == category]


def _service(index: CatalogueIndex, service: Service, language: str) -> InquiryService:
    said = index.text(service.descriptions, language)
    name = index.text(service.names, language)
    return InquiryService(id=service.code, service_name=name, brief_description=_first_line(said) or None)


def service(city: Jurisdiction, index: CatalogueIndex, code: str, language: str) -> InquiryServiceDetail:
    found = offering.service_of(index, code)
    short = _service(index, found, language)
    said = index.text(found.descriptions, language)
    where = f"{settings.BASE_URL}/open311/v2/services/{found.code}.json?jurisdiction_id={city.slug}"
    return InquiryServiceDetail(
        id=short.id,
        service_name=short.service_name,
        brief_description=short.brief_description,
        description=said or None,
        description_html=to_html(said) or None,
        categories=(found.group,),
        web_actions=(WebAction(label=short.service_name, url=where, type="Service Request"),),
        faqs=tuple(text.article.code for text in _answers(city, language) if found.code in text.version.services),
    )


# --- Places --------------------------------------------------------------------------------------------------------------


def facilities(city: Jurisdiction) -> list[Facility]:
    rows = _landmarks(city).order_by("text", "pk")[:MOST]
    return [Facility(id=str(row.pk), name=row.text) for row in rows]


def facility(city: Jurisdiction, name: str) -> FacilityDetail:
    row = _landmarks(city).filter(pk=int(name)).first() if _is_id(name) else None
    if row is None:
        raise NotFound(f"There is no facility {name[:40]!r}.")
    return FacilityDetail(
        id=str(row.pk),
        name=row.text,
        categories=(_LANDMARK,),
        address=" ".join(filter(None, (row.house_number, row.street))) or None,
        city=city.name,
        zipcode=row.postcode or None,
        lat=row.latitude,
        long=row.longitude,
    )


def is_facility_category(name: str) -> bool:
    return name in ALL or name == _LANDMARK


def _landmarks(city: Jurisdiction) -> QuerySet[AddressPoint]:
    return AddressPoint.objects.filter(jurisdiction=city, kind=_LANDMARK)


def _is_id(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 19


# --- Answers -------------------------------------------------------------------------------------------------------------


def is_answer_category(city: Jurisdiction, name: str) -> bool:
    return name in ALL or _live(city).filter(version__topic=name).exists()


def web_faqs(city: Jurisdiction, category: str, language: str) -> list[WebFaq]:
    found = _answers(city, language)
    return [_faq(text) for text in found if category in ALL or text.version.topic == category]


def web_faq(city: Jurisdiction, index: CatalogueIndex, code: str, language: str) -> WebFaqDetail:
    text = next(iter(_chosen(_live(city).filter(article__code=code), city, language)), None)
    if text is None:
        raise NotFound(f"There is no web_faq {code[:80]!r}.")
    short = _faq(text)
    known = [index.services[each] for each in text.version.services if each in index.services]
    answer = "\n\n".join(filter(None, (text.answer, text.body)))
    return WebFaqDetail(
        id=short.id,
        question=short.question,
        expiration=short.expiration,
        brief_description=short.brief_description,
        categories=(text.version.topic,),
        answer=answer or None,
        answer_html=to_html(answer) or None,
        services=tuple(_service(index, each, language) for each in known if offering.is_offered(each)),
    )


def _faq(text: Text) -> WebFaq:
    ends = text.article.expires_on
    return WebFaq(
        id=text.article.code,
        question=text.title,
        expiration=ends.isoformat() if ends else None,
        brief_description=_first_line(text.answer) or None,
    )


def _live(city: Jurisdiction) -> QuerySet[Text]:
    """Texts of public articles that are published and have not expired."""
    today = now().astimezone(city.zone).date()
    rows = Text.objects.filter(jurisdiction=city, live=True, version__audience=Audience.PUBLIC)
    return rows.exclude(article__expires_on__lt=today).select_related("article", "version")


def _answers(city: Jurisdiction, language: str) -> list[Text]:
    return _chosen(_live(city).order_by("version__topic", "article__code")[: MOST * 2], city, language)


def _chosen(texts: Iterable[Text], city: Jurisdiction, language: str) -> list[Text]:
    """One text of each article: in the language asked for, else in the city's first, else in any."""
    best: dict[int, Text] = {}
    for text in texts:
        known = best.get(text.article_id)
        if known is None or _distance(text, city, language) < _distance(known, city, language):
            best[text.article_id] = text
    return list(best.values())


def _distance(text: Text, city: Jurisdiction, language: str) -> int:
    wished = (language, language.split("-")[0], city.languages[0])
    return next((place for place, each in enumerate(wished) if text.language == each), len(wished))


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
