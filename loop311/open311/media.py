"""Photos that come with a filing or an update: as files, inside an address (data:), or as an address to fetch them from."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest

from loop311.kit import fetching
from loop311.kit.uploads import Upload, upload, was_too_much
from loop311.open311.policies import refuse

MOST = 10
"""Files, and addresses, of one filing."""
_FIELD = "media_url"


def uploads_of(request: HttpRequest) -> list[Upload]:
    """Every file part, whatever it is called (media, photo1, file_0), and what `data:` addresses hold.

    The sender's names are not believed: what a file is, its content says.
    """
    problem = was_too_much(request)
    if problem is not None:
        raise problem
    sent = [upload(file).data for name in request.FILES for file in request.FILES.getlist(name) if file.size]
    sent += [_unpacked(url) for url in _urls(request) if _is_data(url)]
    if len(sent) > MOST:
        raise refuse("media", f"At most {MOST} files are taken at once.")
    return [Upload("", data) for data in sent]


def links_of(request: HttpRequest) -> list[str]:
    """Addresses of files elsewhere. Raises Invalid for one that would never be fetched."""
    links = list(dict.fromkeys(url for url in _urls(request) if not _is_data(url)))
    if len(links) > MOST:
        raise refuse(_FIELD, f"At most {MOST} addresses are taken at once.")
    for link in links:
        try:
            fetching.check_url(link)
        except fetching.Refused as reason:
            raise refuse(_FIELD, f"{_FIELD}: {reason}") from reason
    return links


def _urls(request: HttpRequest) -> list[str]:
    """media_url, media_url[] and media_url[0] alike, repeated or not."""
    names = [name for name in request.POST if name == _FIELD or name.startswith(f"{_FIELD}[")]
    return [url for name in names for given in request.POST.getlist(name) if (url := given.strip())]


def _is_data(url: str) -> bool:
    return url[:5].lower() == "data:"


def _unpacked(url: str) -> bytes:
    head, _, body = url.partition(",")
    if not head.lower().endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(unquote_to_bytes(body), validate=True)
    except binascii.Error as error:
        raise refuse(_FIELD, f"{_FIELD}: what stands in the data: address is broken.") from error
