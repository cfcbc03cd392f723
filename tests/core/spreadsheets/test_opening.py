import random

import pytest

from core.errors import DomainError
from core.spreadsheets import PASTED, open_pasted, open_workbook
from tests.core.spreadsheets.refusals import refusal
from tests.factories.matrices import ROOT
from tests.factories.tables import workbook

OTHER_CITIES = ROOT / "tests" / "data" / "other-cities"


@pytest.mark.parametrize("name", ["清单.xlsx", "清单.xls", "清单.csv", "清单"])
def test_a_file_is_known_by_its_content_not_by_its_name(name):
    book = open_workbook(workbook(["甲"]), name)
    assert (book.name, book.sheets[0].texts) == (name, {(1, 1): "甲"})


@pytest.mark.parametrize("city", sorted(OTHER_CITIES.glob("*.xlsx")), ids=lambda path: path.stem)
def test_lists_of_other_cities_are_read_without_a_word(city):
    book = open_workbook(city.read_bytes(), city.name)
    assert len(book.sheets) == 1
    assert book.notes == []


def test_a_file_over_the_upload_limit_is_refused(settings):
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    assert refusal(bytes(3 * 1024 * 1024)) == "文件“清单.xlsx”有 3.0 MB，超过上限 1 MB。"


@pytest.mark.parametrize("data", [b"", b" \r\n\n"])
def test_an_empty_file_is_refused(data):
    assert refusal(data) == "文件“清单.xlsx”是空的。"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"%PDF-1.7\n", "是 PDF，不是工作簿。请上传表格的工作簿（.xlsx），或从 PDF 里复制表格后粘贴导入。"),
        (
            b"\x89PNG\r\n\x1a\n",
            "是图片，不是表格。请上传表格的工作簿（.xlsx），或从文件里复制表格后粘贴导入。",
        ),
        (b"Rar!\x1a\x07", "是压缩包，请解压后上传其中的表格。"),
        (b"{\\rtf1", "是 RTF 文档，请把其中的表格复制后粘贴导入，或存入工作簿（.xlsx）。"),
        (
            b"MIME-Version: 1.0\r\n",
            "是单个文件的网页（.mht），请用 Excel 或 WPS 打开后另存为 .xlsx。",
        ),
        (b"\0\1\2\3", "不是表格，请上传 .xlsx、.xls 或 .csv 文件。"),
        (random.Random(1).randbytes(10_000), "不是表格，请上传 .xlsx、.xls 或 .csv 文件。"),
        (b"not a workbook", "里没有表格，请上传 .xlsx、.xls 或 .csv 文件。"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "不是表格，请上传 .xlsx、.xls 或 .csv 文件。"),
    ],
    ids=["pdf", "png", "rar", "rtf", "mht", "zeros", "random", "text", "half a signature"],
)
def test_what_is_no_table_is_told_by_what_it_is(data, sentence):
    assert refusal(data) == f"文件“清单.xlsx”{sentence}"


def test_of_a_paste_the_web_page_is_read_when_it_holds_a_table():
    page = "<html><!--StartFragment--><table><tr><td colspan=2>甲</td></tr></table></html>"
    book = open_pasted("甲\t", html=page)
    assert (book.name, book.sheets[0].merges_known) == (PASTED, True)
    assert open_pasted("甲\t乙", html="<p>甲</p>").sheets[0].texts == {(1, 1): "甲", (1, 2): "乙"}


@pytest.mark.parametrize("text", ["", " \r\n\t"])
def test_an_empty_paste_is_refused(text):
    with pytest.raises(DomainError) as caught:
        open_pasted(text)
    assert caught.value.message == "没有粘贴任何内容，请先在 Excel、WPS 或网页中复制表格。"


def test_a_paste_beyond_any_list_is_refused():
    with pytest.raises(DomainError) as caught:
        open_pasted("甲" * 10_000_001)
    assert caught.value.message == "粘贴的表格超过 1000 万字，请分次导入。"
