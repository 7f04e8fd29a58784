"""Uploaded files in memory, never more of them than is taken: what goes beyond is read past and forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest

from loop311.kit.images.sniffing import too_large
from loop311.kit.problems import TooLarge

MOST_IN_ONE = 25_000_000
"""Bytes of all files of one form together."""

_TOO_MUCH = "_too_much_was_uploaded"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: bytes, and the name its sender gave it, which is never kept."""

    name: str
    data: bytes


class Bounded(FileUploadHandler):
    """Django's handler for every form of the site; see settings.FILE_UPLOAD_HANDLERS."""

    _seen = 0
    _length = 0

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:  # noqa: N803
        self._length = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._file: IO[bytes] = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._seen += len(raw_data)
        if self._seen > MOST_IN_ONE:
            setattr(self.request, _TOO_MUCH, True)
            if self._length > 4 * MOST_IN_ONE:
                raise StopUpload(connection_reset=True)
            raise SkipFile  # the words that come after it in the form are read
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        self._file.seek(0)
        return InMemoryUploadedFile(
            self._file, self.field_name, self.file_name or "", self.content_type, file_size, self.charset, self.content_type_extra
        )  # fmt: skip


def was_too_much(request: HttpRequest) -> TooLarge | None:
    """What to say when more came than is taken."""
    if request.FILES is not None and getattr(request, _TOO_MUCH, False):
        return TooLarge(f"{too_large()} All together may have {MOST_IN_ONE // 1_000_000} MB.")
    return None


def uploads(request: HttpRequest, field: str) -> list[Upload]:
    """The files of this field. Raises TooLarge when more came than is taken."""
    problem = was_too_much(request)
    if problem is not None:
        raise problem
    return [upload(file) for file in request.FILES.getlist(field)]


def upload(file: UploadedFile) -> Upload:
    file.seek(0)
    return Upload(file.name or "", file.read())
