"""Addresses of the desk."""

from __future__ import annotations

from django.urls import path, register_converter

from loop311.desk.contact import views as contact
from loop311.desk.live import views as live
from loop311.desk.people import merging
from loop311.desk.people import views as people
from loop311.desk.queue import views as queue
from loop311.desk.views import (
    answers,
    callbacks,
    contacts,
    digest,
    files,
    filing,
    gaps,
    links,
    lists,
    requests,
    sheets,
    staff,
    where,
    writing,
)


class NumberConverter:
    """A request's public number."""

    regex = "[0-9A-Za-z-]{1,40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class IdConverter:
    """An id the database can hold."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(NumberConverter, "number")
register_converter(IdConverter, "id")

app_name = "desk"
urlpatterns = [
    path("", requests.index, name="index"),
    path("home/", lists.home, name="home"),
    path("signed-in/", contact.signed_in, name="signed_in"),
    path("contact/", contact.start, name="start"),
    path("contact/unknown/", contact.unknown, name="contact_unknown"),
    path("contact/<id:interaction_id>/", contact.contact, name="contact"),
    path("contact/<id:interaction_id>/photos/<id:enclosure_id>/", contact.photo, name="contact_photo"),
    path("contact/<id:interaction_id>/<slug:name>/", contact.step, name="step"),
    path("contacts/open/", contacts.running, name="open_contacts"),
    path("contacts/open/<id:interaction_id>/", contacts.one, name="open_contact"),
    path("contacts/open/<id:interaction_id>/take/", contacts.take, name="take_over"),
    path("contacts/open/<id:interaction_id>/end/", contacts.wrap_up, name="wrap_up_for"),
    path("cities/", lists.cities, name="cities"),
    path("queue/", queue.my_queue, name="my_queue"),
    path("queue/<slug:code>/", queue.one, name="queue"),
    path("queue/<slug:code>/next/", queue.take_next, name="take_next"),
    path("queue/<slug:code>/do/", queue.do, name="bulk"),
    path("queue/<slug:code>/keep/", queue.keep, name="keep_filter"),
    path("queue/<slug:code>/keep/<id:filter_id>/", queue.forget, name="forget_filter"),
    path("sheets/", sheets.picked, name="sheets"),
    path("digest/", digest.choose, name="digest"),
    path("live/", live.live, name="live"),
    path("search/", lists.search, name="search"),
    path("file/", filing.picker, name="picker"),
    path("file/<slug:code>/", filing.file, name="file"),
    path("file/<slug:code>/panel/", where.panel, name="panel"),
    path("where/suggest/", where.suggest, name="suggest"),
    path("where/around/", where.around, name="around"),
    path("where/map/", where.city_map, name="map"),
    path("where/areas/<id:version>/", where.map_areas, name="map_areas"),
    path("where/streets/<id:version>/", where.map_streets, name="map_streets"),
    path("where/streets/<id:version>/<id:x>/<id:y>/", where.map_cell, name="map_cell"),
    path("requests/<number:number>/receipt/", where.receipt, name="receipt"),
    path("residents/", people.find, name="residents"),
    path("residents/new/", people.new, name="new_resident"),
    path("residents/compare/", merging.chosen, name="compare"),
    path("residents/<id:resident_id>/", people.one, name="resident"),
    path("residents/<id:resident_id>/edit/", people.edit, name="edit_resident"),
    path("residents/<id:resident_id>/points/", people.add_point, name="add_point"),
    path("residents/<id:resident_id>/points/<id:point_id>/<slug:name>/", people.change_point, name="change_point"),
    path("residents/<id:resident_id>/consents/", people.consent, name="consent"),
    path("residents/<id:resident_id>/merge/<id:gone_id>/", merging.merge, name="merge"),
    path("residents/<id:resident_id>/callback/", callbacks.promise_to, name="call_resident"),
    path("residents/<id:resident_id>/undo-merge/", merging.undo, name="undo_merge"),
    path("callbacks/", callbacks.index, name="callbacks"),
    path("callbacks/<id:callback_id>/", callbacks.one, name="callback"),
    path("callbacks/<id:callback_id>/<slug:name>/", callbacks.act, name="callback_act"),
    path("staff/", staff.index, name="staff"),
    path("staff/new/", staff.new, name="new_staff"),
    path("staff/second-factors/", staff.second_factors, name="second_factors"),
    path("staff/<id:staff_id>/", staff.one, name="staff_member"),
    path("staff/<id:staff_id>/<slug:name>/", staff.act, name="staff_act"),
    path("knowledge/", answers.search, name="knowledge"),
    path("knowledge/new/", writing.new, name="new_article"),
    path("knowledge/preview/", writing.preview, name="preview_article"),
    path("knowledge/review/", writing.review, name="knowledge_review"),
    path("knowledge/gaps/", gaps.index, name="gaps"),
    path("knowledge/gaps/<id:gap_id>/again/", gaps.again, name="gap_again"),
    path("knowledge/gaps/<id:gap_id>/answer/", gaps.answer, name="gap_answer"),
    path("knowledge/gaps/<id:gap_id>/dismiss/", gaps.dismiss, name="gap_dismiss"),
    path("knowledge/gaps/<id:gap_id>/reassign/", gaps.reassign, name="gap_reassign"),
    path("knowledge/feedback/<id:feedback_id>/settle/", answers.settle, name="settle_feedback"),
    path("knowledge/articles/<slug:code>/", answers.article, name="article"),
    path("knowledge/articles/<slug:code>/edit/", writing.edit, name="edit_article"),
    path("knowledge/articles/<slug:code>/feedback/", answers.rate, name="rate_article"),
    path("knowledge/articles/<slug:code>/check/", answers.check, name="check_article"),
    path("knowledge/articles/<slug:code>/retire/", answers.retire, name="retire_article"),
    path("knowledge/articles/<slug:code>/send/", answers.send, name="send_article"),
    path("knowledge/articles/<slug:code>/versions/<id:version_number>/", writing.version, name="article_version"),
    path("knowledge/articles/<slug:code>/versions/<id:version_number>/ask/", writing.ask_review, name="ask_review"),
    path(
        "knowledge/articles/<slug:code>/versions/<id:version_number>/publish/", writing.publish, name="publish_version"
    ),
    path("knowledge/articles/<slug:code>/versions/<id:version_number>/back/", writing.send_back, name="send_back"),
    path(
        "knowledge/articles/<slug:code>/versions/<id:version_number>/translation/",
        writing.check_translation,
        name="check_translation",
    ),
    path("links/", links.index, name="links"),
    path("links/<slug:code>/", links.one, name="link"),
    path("links/<slug:code>/<slug:name>/", links.act_on_link, name="link_act"),
    path("links/<slug:code>/orders/<id:order_id>/<slug:name>/", links.mend, name="mend"),
    path("links/<slug:code>/mismatches/<id:mismatch_id>/", links.settle, name="settle_mismatch"),
    path("failures/", lists.failures, name="failures"),
    path("failures/messages/<id:message_id>/", lists.retry_message, name="retry_message"),
    path("requests/<number:number>/", requests.one, name="request"),
    path("requests/<number:number>/service/", filing.change_service, name="change_service"),
    path("requests/<number:number>/callback/", callbacks.promise, name="promise_callback"),
    path("requests/<number:number>/changes/", requests.changes, name="changes"),
    path("requests/<number:number>/files/<id:attachment_id>/", files.file, name="file_of"),
    path("requests/<number:number>/files/<id:attachment_id>/small/", files.thumbnail, name="thumbnail_of"),
    path("requests/<number:number>/<slug:name>/", requests.act, name="act"),
]
