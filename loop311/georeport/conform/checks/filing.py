"""Group 5, first part: what a filing may look like, and its answer."""

from __future__ import annotations

from loop311.georeport.conform.filer import MARK, Filed, filer
from loop311.georeport.conform.registry import OURS, SPEC, NotOffered, NotRun, check
from loop311.georeport.conform.strict import refused
from loop311.georeport.conform.target import NOBODY, Target
from loop311.georeport.conform.wire import multipart
from loop311.georeport.reading import text
from loop311.kit.clock import now

_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
"""The smallest picture."""


@check(
    "post.accepted",
    SPEC,
    "A filing with all that the definition asks for is accepted: one request in the answer.",
    writes=True,
)
def accepts(at: Target) -> None:
    filer(at).first()


@check("post.both-formats", SPEC, "A filing is answered in XML and in JSON, as its address asks.", writes=True)
def both_formats(at: Target) -> None:
    for format_ in at.formats:
        filer(at).file(filer(at).form(), ending=format_)


@check("post.status-200", OURS, "The status of an accepted filing is 200: old clients test for it.", writes=True)
def status_200(at: Target) -> None:
    filer(at).filed().read.reply.must_be(200)


@check("post.id-xor-token", SPEC, "The answer holds an id or a token, never both.", writes=True)
def id_xor_token(at: Target) -> None:
    found = filer(at).filed()
    if found.id and found.token:
        raise found.read.wrong(f"the id {found.id} and the token {found.token}", "one of them")


@check("post.no-empty-fields", OURS, "What the answer does not hold is left out: no empty id or token.", writes=True)
def no_empty_fields(at: Target) -> None:
    found = filer(at).filed().read
    empty = [name for name in ("service_request_id", "token") if name in found.one and text(found.one[name]) is None]
    if empty:
        raise found.wrong(f"an empty {empty[0]}", "it left out")


@check("post.id-is-text", OURS, "In JSON the id is a text.", writes=True)
def id_is_text(at: Target) -> None:
    at.json()
    found = filer(at).filed().read
    if isinstance(found.one.get("service_request_id"), int | float):
        raise found.wrong(f"the number {found.one['service_request_id']}", "a text in quotes")


def _of_type(at: Target, type_: str) -> Filed:
    service = filer(at).of_type(type_)
    if service is None:
        raise NotRun(f"none of the services that may be filed for is of the type {type_}: name one with --service")
    form = filer(at).form(str(text(service.get("service_code"))))
    return at.once(f"filed {type_}", lambda: filer(at).file(form))


@check("post.realtime", SPEC, "A service of the type realtime gives the id at once.", writes=True)
def realtime(at: Target) -> None:
    found = _of_type(at, "realtime")
    if not found.id:
        raise found.read.wrong("no service_request_id", "the id at once")


@check("post.batch", SPEC, "A service of the type batch gives a token.", writes=True)
def batch(at: Target) -> None:
    found = _of_type(at, "batch")
    if not found.token:
        raise found.read.wrong("no token", "a token")


@check("post.blackbox", SPEC, "A service of the type blackbox gives neither id nor token.", writes=True)
def blackbox(at: Target) -> None:
    found = _of_type(at, "blackbox")
    if found.id or found.token:
        raise found.read.wrong(f"{'the id ' + found.id if found.id else 'a token'}", "neither id nor token")


@check("post.found-again", OURS, "A filed request is found by its id at once, open and of its service.", writes=True)
def found_again(at: Target) -> None:
    filed = filer(at).filed()
    if not filed.id:
        raise NotRun("the filing gave no id at once")
    found = at.single(filed.id, base=filer(at).base, fresh=True)
    if not found.rows:
        raise found.wrong("no request", "the filed one")
    told = (text(found.one.get("service_code")), text(found.one.get("status")))
    if told != (filer(at).code, "open"):
        raise found.wrong(f"service_code {told[0]!r}, status {told[1]!r}", f"{filer(at).code!r}, 'open'")


# --- Where ---------------------------------------------------------------------------------------------------------------


@check("post.lat-long", SPEC, "lat and long alone say where.", writes=True)
def lat_long(at: Target) -> None:
    filer(at).file(filer(at).form(address_string=None))


@check("post.address-string", SPEC, "address_string alone says where.", writes=True)
def address_string(at: Target) -> None:
    filer(at).file(filer(at).form(lat=None, long=None))


@check("post.address-id", SPEC, "address_id alone says where.", writes=True)
def address_id(at: Target) -> None:
    id_ = at.options.address_id or next(
        (found for row in at.sample().rows if (found := text(row.get("address_id")))), ""
    )
    if not id_:
        raise NotRun("no request shows an address_id: give --address-id")
    filer(at).file(filer(at).form(lat=None, long=None, address_string=None, address_id=id_))


@check("post.lone-lat", SPEC, "lat without long is 400.", writes=True)
def lone_lat(at: Target) -> None:
    filer(at).post(filer(at).form(long=None, address_string=None)).must_be(400)


@check("post.lone-long", SPEC, "long without lat is 400.", writes=True)
def lone_long(at: Target) -> None:
    filer(at).post(filer(at).form(lat=None, address_string=None)).must_be(400)


@check("post.no-place", SPEC, "A filing that says nowhere where is 400.", writes=True)
def no_place(at: Target) -> None:
    filer(at).post(filer(at).form(lat=None, long=None, address_string=None)).must_be(400)


@check("post.beyond-the-globe", OURS, "A latitude beyond 90 or a longitude beyond 180 is 400.", writes=True)
def beyond_the_globe(at: Target) -> None:
    for wrong in ({"lat": "90.5"}, {"long": "-180.5"}):
        filer(at).post(filer(at).form(**wrong)).must_be(400)


@check("post.no-degrees", OURS, "NaN, Infinity and decimal commas are no position: 400.", writes=True)
def no_degrees(at: Target) -> None:
    for wrong in ("NaN", "Infinity", "41,85"):
        filer(at).post(filer(at).form(lat=wrong)).must_be(400)


@check("post.empty-argument", SPEC, "An empty argument is an absent one.", writes=True)
def empty_argument(at: Target) -> None:
    filer(at).file(filer(at).form(lat="", long="", email="", media_url=""))


# --- How it is written ---------------------------------------------------------------------------------------------------


@check(
    "post.urlencoded", SPEC, "A form may be application/x-www-form-urlencoded, with a charset or without.", writes=True
)
def urlencoded(at: Target) -> None:
    filer(at).file(filer(at).form(), headers=[("Content-Type", "application/x-www-form-urlencoded")])


@check("post.multipart", OURS, "A form may be multipart/form-data.", writes=True)
def multipart_form(at: Target) -> None:
    form = filer(at).form()
    media_type, content = multipart(filer(at).pairs(form, at.options.key))
    filer(at).file(form, headers=[("Content-Type", media_type)], content=content)


@check("post.media-file", OURS, "A photo may come as a part of the form.", writes=True)
def media_file(at: Target) -> None:
    form = filer(at).form()
    media_type, content = multipart(filer(at).pairs(form, at.options.key), ("media", "test.png", "image/png", _PIXEL))
    filer(at).file(form, headers=[("Content-Type", media_type)], content=content)


@check("post.media-url", SPEC, "A photo may be named by its address.", writes=True)
def media_url(at: Target) -> None:
    filer(at).file(filer(at).form(media_url="https://example.org/test.jpg"))


@check(
    "post.other-media-type",
    OURS,
    "A body that is no form is 415 or 400, with an errors body in both formats.",
    writes=True,
)
def other_media_type(at: Target) -> None:
    kind = [("Content-Type", "application/json")]
    for format_ in at.formats:
        refused(filer(at).post(filer(at).form(), format_, headers=kind, content=b'{"service_code": "x"}'), 415, 400)


@check(
    "post.idempotency-key",
    OURS,
    "The same Idempotency-Key with the same content files once; with another content it is refused.",
    writes=True,
)
def idempotency_key(at: Target) -> None:
    by, header = filer(at), [("Idempotency-Key", f"conform-{now().strftime('%Y%m%d%H%M%S%f')}")]
    first, second = (by.file(by.form(), headers=header) for _ in range(2))
    if not first.id and not first.token:
        raise NotRun("the filing gave neither id nor token")
    if (first.id, first.token) != (second.id, second.token):
        raise NotOffered("Idempotency-Key is not offered")
    by.post(by.form(description=f"{MARK}: another"), headers=header).must_be(400, 409, 422)


# --- Who sends, and to whom ----------------------------------------------------------------------------------------------


@check("post.no-key", SPEC, "Without api_key it is 403.", writes=True)
def no_key(at: Target) -> None:
    filer(at).post(filer(at).form(), key="").must_be(403)


@check("post.wrong-key", SPEC, "With an api_key that nobody was given it is 403.", writes=True)
def wrong_key(at: Target) -> None:
    filer(at).post(filer(at).form(), key=NOBODY).must_be(403)


@check("post.key-in-query", OURS, "The key may stand in the address.", writes=True)
def key_in_query(at: Target) -> None:
    filer(at).file(filer(at).form(), key="", query=[("api_key", at.options.key)])


@check("post.key-in-header", OURS, "The key may come as X-API-Key, or as a bearer token.", writes=True)
def key_in_header(at: Target) -> None:
    for header in (("X-API-Key", at.options.key), ("Authorization", f"Bearer {at.options.key}")):
        filer(at).file(filer(at).form(), key="", headers=[header])


@check("post.unknown-service", SPEC, "An unknown service_code is 404.", writes=True)
def unknown_service(at: Target) -> None:
    filer(at).post(filer(at).form() | {"service_code": NOBODY}).must_be(404)


@check("post.no-service", SPEC, "A missing service_code is 400.", writes=True)
def no_service(at: Target) -> None:
    filer(at).post(filer(at).form() | {"service_code": ""}).must_be(400)


@check("post.unknown-jurisdiction", SPEC, "An unknown jurisdiction_id is 404.", writes=True)
def unknown_jurisdiction(at: Target) -> None:
    filer(at).post(filer(at).form(jurisdiction_id=f"{NOBODY}.example")).must_be(404)


@check("post.jurisdiction-in-query", OURS, "The jurisdiction_id may stand in the address.", writes=True)
def jurisdiction_in_query(at: Target) -> None:
    query = [("jurisdiction_id", _jurisdiction(at))]
    filer(at).file(filer(at).form(jurisdiction_id="-"), query=query)


@check("post.jurisdiction-conflict", OURS, "Two different jurisdiction_id, one in the address, are 400.", writes=True)
def jurisdiction_conflict(at: Target) -> None:
    query = [("jurisdiction_id", f"{NOBODY}.example")]
    filer(at).post(filer(at).form(jurisdiction_id=_jurisdiction(at)), query=query).must_be(400)


def _jurisdiction(at: Target) -> str:
    if not at.options.jurisdiction:
        raise NotRun("give --jurisdiction")
    return at.options.jurisdiction
