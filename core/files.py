"""Uploads, checked before they are kept: size, real content against the allowed kinds, digest."""

import io
import warnings
from collections.abc import Sequence

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpResponse
from django.utils.http import content_disposition_header
from PIL import Image, UnidentifiedImageError

from core.digests import default_algorithm, digest_bytes
from core.errors import DomainError
from core.models import StoredFile

IMAGE_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
PDF_TYPE = "application/pdf"
WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A phone photo has about 12 to 50 megapixels; more is a decompression bomb.
MAX_PIXELS = 100_000_000


def store(data: bytes, *, name: str, content_type: str) -> StoredFile:
    """Keep bytes that were checked already (made here, or by the functions below)."""
    stored = StoredFile(
        name=name[:255],
        content_type=content_type,
        size=len(data),
        digest=digest_bytes(data),
        algorithm=default_algorithm(),
    )
    stored.file.save(name, ContentFile(data), save=False)
    stored.save()
    return stored


def read_upload(upload: UploadedFile) -> bytes:
    """The upload's bytes. Raises DomainError naming the file when empty or over UPLOAD_MAX_BYTES."""
    limit = settings.UPLOAD_MAX_BYTES
    if upload.size > limit:
        size, most = upload.size / 1024 / 1024, limit / 1024 / 1024
        raise DomainError(f"文件“{upload.name}”有 {size:.1f} MB，超过上限 {most:.0f} MB，未保存。")
    data = upload.read()
    if not data:
        raise DomainError(f"文件“{upload.name}”是空的，未保存。")
    return data


def store_image(upload: UploadedFile) -> StoredFile:
    """Keep a JPEG, PNG or WebP photo as it came. Raises DomainError naming the file for anything else."""
    data = read_upload(upload)
    return store(data, name=upload.name, content_type=_image_type(data, upload.name))


def store_document(upload: UploadedFile) -> StoredFile:
    """Keep a signed paper as it came: a PDF, or its scan as JPEG or PNG.

    The content decides, never the name. Raises DomainError naming the file for anything else, for a
    PDF that is cut off and for one that needs a password.
    """
    data = read_upload(upload)
    if not data.startswith(b"%PDF-"):
        refusal = f"文件“{upload.name}”不是 PDF 或图片（JPEG、PNG），未保存。"
        content_type = _image_type(data, upload.name, formats=("JPEG", "PNG"), refusal=refusal)
        return store(data, name=upload.name, content_type=content_type)
    # A reader looks for the end mark in the last kilobyte; a transfer that broke off has none.
    if b"%%EOF" not in data[-1024:]:
        raise DomainError(f"文件“{upload.name}”不完整，请重新生成 PDF 后上传。")
    if b"/Encrypt" in data:
        raise DomainError(f"文件“{upload.name}”设有密码，请取消加密后上传。")
    return store(data, name=upload.name, content_type=PDF_TYPE)


def _image_type(
    data: bytes, name: str, *, formats: Sequence[str] = tuple(IMAGE_FORMATS), refusal: str = ""
) -> str:
    """The content type of a picture in one of `formats`. Raises DomainError for anything else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=formats) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise DomainError(f"图片“{name}”有 {width}×{height} 像素，过大，未保存。")
                content_type = IMAGE_FORMATS[image.format]
                image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DomainError(refusal or f"文件“{name}”不是可用的图片（JPEG、PNG、WebP），未保存。") from error
    return content_type


def workbook_response(data: bytes, name: str) -> HttpResponse:
    """Send a workbook made for this request."""
    response = HttpResponse(data, content_type=WORKBOOK_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


def file_response(stored: StoredFile, *, download: bool = False) -> FileResponse:
    """Send a stored file; only images are shown in the page, everything else is a download."""
    shown = stored.content_type in IMAGE_FORMATS.values() and not download
    response = FileResponse(
        stored.file.open("rb"),
        as_attachment=not shown,
        filename=stored.name,
        content_type=stored.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response
