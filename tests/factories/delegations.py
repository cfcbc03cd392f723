"""赋权清单 as departments fill it in."""

from collections.abc import Sequence

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories.matrices import make_workbook

HEADER = ["镇街", "处罚事项", "清单", "自", "至", "确认书编号"]
TITLE = ["晋江市赋权清单", None, None, None, None, None]


def make_upload(rows: Sequence[Sequence], *, name: str = "赋权清单.xlsx") -> SimpleUploadedFile:
    """An upload of one sheet below a title line; rows start in line 3."""
    return SimpleUploadedFile(name, make_workbook(rows, header=HEADER, above=(TITLE,)))
