"""Read the workbooks of Excel 2003 in XML, which many systems export and call .xls."""

from xml.parsers import expat

from core.errors import DomainError
from core.spreadsheets.filling import Filling, FillingSheet
from core.spreadsheets.numbers import GENERAL, printed

NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"
FORMATS = {"Percent": "0.00%", "General Number": GENERAL, "Fixed": "0.00", "Standard": "#,##0.00"}


def read_office_xml(text: str, name: str) -> Filling:
    """Every visible sheet of such a workbook.

    Raises DomainError when it is damaged, declares a document type or shows an error value.
    """
    book = Filling(name)
    reader = _Reader(book)
    # The text is decoded already, whatever its first line says.
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DomainError(
            f"文件“{name}”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。"
        ) from error
    return book


class _Reader:
    def __init__(self, book: Filling):
        self.book = book
        self.sheet: FillingSheet | None = None
        self.formats: dict[str, str] = {}
        self.style = ""
        self.row = self.column = self.right = 0
        self.cell: dict[str, str] = {}
        self.kind = ""
        self.pieces: list[str] | None = None
        self.visible: list[str] | None = None

    def refuse_doctype(self, *_: object) -> None:
        raise DomainError(f"文件“{self.book.name}”含有不允许的声明，不予读取。")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition(" ")[2]
        own = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if local == "Style":
            self.style = own.get("ID", "")
        elif local == "NumberFormat":
            code = own.get("Format", GENERAL)
            self.formats[self.style] = FORMATS.get(code, code)
        elif local == "Worksheet":
            self.sheet = self.book.sheet(own["Name"])
            self.row = 0
        elif local == "Row" and self.sheet:
            self.row = int(own.get("Index", self.row + 1))
            self.right = 0
            if own.get("Hidden") == "1":
                self.sheet.hidden_rows.add(self.row)
        elif local == "Cell" and self.sheet:
            self._begin_cell(own)
        elif local == "Data" and tag.startswith(NAMESPACE):
            self.kind, self.pieces = own.get("Type", "String"), []
        elif local == "Visible":
            self.visible = []

    def text(self, text: str) -> None:
        for pieces in (self.pieces, self.visible):
            if pieces is not None:
                pieces.append(text)

    def end(self, tag: str) -> None:
        local = tag.rpartition(" ")[2]
        if local == "Data" and self.pieces is not None and self.sheet:
            self._put(self.sheet, "".join(self.pieces))
            self.pieces = None
        elif local == "Visible" and self.visible is not None and self.sheet:
            if "".join(self.visible).strip() in ("SheetHidden", "SheetVeryHidden"):
                self.book.sheets.remove(self.sheet)
                self.book.pass_over(self.sheet.sheet.name)
            self.visible = None
        elif local == "Worksheet":
            self.sheet = None

    def _begin_cell(self, own: dict[str, str]) -> None:
        self.cell = own
        self.column = int(own.get("Index", self.right + 1))
        self.right = self.column + int(own.get("MergeAcross", 0))
        bottom = self.row + int(own.get("MergeDown", 0))
        self.sheet.merge(self.row, self.column, bottom, self.right)

    def _put(self, sheet: FillingSheet, text: str) -> None:
        if self.kind == "Error":
            raise sheet.refusal(self.row, self.column, f"是错误值 {text}，请更正后再导入。")
        if "Formula" in self.cell:
            sheet.formula(self.row, self.column)
        if self.kind == "Number":
            number = int(text) if text.lstrip("-").isdigit() else float(text)
            text = printed(number, self.formats.get(self.cell.get("StyleID", ""), GENERAL))
        elif self.kind == "DateTime":
            text = text.removesuffix(".000").replace("T", " ").removesuffix(" 00:00:00")
        elif self.kind == "Boolean":
            text = "是" if text == "1" else "否"
        sheet.put(self.row, self.column, text)
