"""How large a request with files may be: checked while it is read, before anybody looks at its fields.

Django bounds only what is not a file. The limit of each kind of upload is checked again by its action.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

STRANGERS = 2**20  # bytes; who is not logged in has no file to hand in


class BoundedUpload(FileUploadHandler):
    """Stands before the handlers that keep files, and stops the reading at the limit; it keeps nothing itself."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 (Django's name)
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        """Refuse what says that it is too large before a byte is kept."""
        known = self.request is not None and self.request.user.is_authenticated
        self.left = settings.UPLOAD_MAX_BYTES if known else STRANGERS
        self._take(content_length, announced=True)

    def _take(self, size: int, *, announced: bool = False) -> None:
        if size > self.left:
            raise RequestDataTooBig("The files of a request are larger than this site takes.")
        self.left -= 0 if announced else size

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Count what really comes, and hand it on."""
        self._take(len(raw_data))
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers behind this one have the file."""
