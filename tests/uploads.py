"""Files that were handed in, for actions that take one."""

from django.core.files.uploadedfile import SimpleUploadedFile

from core import files


def kept(name: str, content: bytes, *, content_type: str = "", folder: str = "attachments") -> files.Kept:
    """A file in the store, as a view hands it to an action."""
    return files.keep(SimpleUploadedFile(name, content, content_type=content_type), folder, most=2**30)
