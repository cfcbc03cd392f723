import io
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from core import files
from core.digests import digest_bytes
from core.errors import DomainError
from core.models import StoredFile
from tests.factories.papers import PDF

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def picture(format="PNG", size=(8, 8)):
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, format)
    return data.getvalue()


def upload(data, name="疏散通道.png", content_type="image/png"):
    return SimpleUploadedFile(name, data, content_type)


def refusal(function, *arguments):
    with pytest.raises(DomainError) as refused:
        function(*arguments)
    assert not StoredFile.objects.exists()
    return refused.value.message


@pytest.mark.parametrize(
    ("format", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_photo_is_kept_as_it_came(format, content_type):
    data = picture(format)
    stored = files.store_image(upload(data, content_type="application/octet-stream"))
    assert (stored.name, stored.content_type, stored.size) == ("疏散通道.png", content_type, len(data))
    with stored.file.open() as kept:
        assert kept.read() == data
    assert stored.digest == digest_bytes(data, stored.algorithm)


def test_users_file_name_is_never_a_path(media):
    stored = files.store_image(upload(picture(), name="../../etc/passwd.png"))
    assert stored.file.name == f"{stored.created_at:%Y/%m}/{stored.pk}"
    assert [path.name for path in media.rglob("*") if path.is_file()] == [str(stored.pk)]


def test_long_name_is_shortened():
    stored = files.store(b"x", name="长" * 300 + ".txt", content_type="text/plain")
    assert len(stored.name) == 255


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a\x01\x00\x01\x00",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"MZ\x90\x00",
        b"\x00" * 64,
    ],
    ids=["gif", "svg", "pdf", "exe", "zeros"],
)
def test_what_is_no_photo_is_refused_whatever_it_calls_itself(data):
    assert (
        refusal(files.store_image, upload(data))
        == "文件“疏散通道.png”不是可用的图片（JPEG、PNG、WebP），未保存。"
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_photo_cut_off_on_the_way_is_refused(format):
    data = picture(format, (64, 64))
    assert "不是可用的图片" in refusal(files.store_image, upload(data[: len(data) // 2]))


def test_real_picture_of_another_kind_is_refused():
    assert "不是可用的图片" in refusal(files.store_image, upload(picture("BMP")))


def test_empty_file_is_refused():
    assert refusal(files.store_image, upload(b"")) == "文件“疏散通道.png”是空的，未保存。"


def test_file_over_the_limit_is_refused_and_says_by_how_much(settings):
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    message = refusal(files.read_upload, upload(b"x" * (3 * 1024 * 1024 // 2)))
    assert message == "文件“疏散通道.png”有 1.5 MB，超过上限 1 MB，未保存。"


def test_upload_of_200_megabytes_is_refused_without_reading_it(settings):
    settings.UPLOAD_MAX_BYTES = 20 * 1024 * 1024
    huge = upload(b"x")
    huge.size = 200 * 1024 * 1024
    huge.close()
    message = refusal(files.read_upload, huge)
    assert message == "文件“疏散通道.png”有 200.0 MB，超过上限 20 MB，未保存。"


def test_file_of_exactly_the_limit_is_taken(settings):
    settings.UPLOAD_MAX_BYTES = 4
    assert files.read_upload(upload(b"1234")) == b"1234"


def test_small_file_that_unpacks_to_a_huge_picture_is_refused():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
    assert "未保存" in refusal(files.store_image, upload(bomb))


def test_photo_is_shown_in_the_page():
    response = files.file_response(files.store_image(upload(picture())))
    assert response["Content-Disposition"].startswith("inline")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]
    response.close()


def test_other_file_is_a_download():
    stored = files.store(b"<script>", name="页面.html", content_type="text/html")
    response = files.file_response(stored)
    assert response["Content-Disposition"].startswith("attachment")
    response.close()


def test_photo_can_be_downloaded():
    response = files.file_response(files.store_image(upload(picture())), download=True)
    assert response["Content-Disposition"].startswith("attachment")
    response.close()


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (PDF, "application/pdf"),
        (picture("PNG"), "image/png"),
        (picture("JPEG"), "image/jpeg"),
    ],
)
def test_a_signed_paper_is_kept_as_it_came_whatever_its_name(data, content_type):
    stored = files.store_document(upload(data, name="承接确认书", content_type="text/html"))
    assert (stored.content_type, stored.size) == (content_type, len(data))
    assert stored.digest == digest_bytes(data, stored.algorithm)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"MZ\x90", "不是 PDF 或图片（JPEG、PNG），未保存。"),
        (picture("WEBP"), "不是 PDF 或图片（JPEG、PNG），未保存。"),
        (PDF[:20], "不完整，请重新生成 PDF 后上传。"),
        (PDF.replace(b"/Root", b"/Encrypt 2 0 R /Root"), "设有密码，请取消加密后上传。"),
    ],
)
def test_what_is_no_readable_paper_is_refused(data, reason):
    assert refusal(files.store_document, upload(data, name="确认书.pdf")) == f"文件“确认书.pdf”{reason}"
