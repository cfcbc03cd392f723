"""Where a sheet's header stands, and what each of its columns seems to say.

Nothing is decided here: `find_header` proposes, a person may correct it (`Header.with_roles`), and what
was corrected is remembered for the next sheet with the same headings.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.digests import digest_json
from core.spreadsheets import Sheet
from scenarios.enums import ColumnRole

# A header below this row is one a person has to point at.
SEARCHED_ROWS = 60
NUMBERS = {"序号", "编号", "序", "号", "no", "no."}
PART_WORDS = {"发起", "牵头", "主办", "主责", "实施", "配合", "参与", "协办", "协同"}
PART_WORDS |= {f"{word}{ending}" for word in PART_WORDS for ending in ("部门", "单位")}
# The first pattern found names the column; a column of departments belongs to the item left of it.
PATTERNS: list[tuple[str, ColumnRole]] = [
    (r"对象|被检查|被监管|监管主体|市场主体", ColumnRole.OBJECT),
    (r"备注|说明", ColumnRole.REMARK),
    (r"(配合|协同|参与|协办|联合).*(部门|单位)", ColumnRole.PARTNERS),
    (r"处罚.*(部门|主体|单位|机关)", ColumnRole.PENALTY_DEPARTMENT),
    (r"部门|主体|单位|机关$|发起方", ColumnRole.CHECK_DEPARTMENT),
    (r"处罚(依据|种类|幅度|标准|方式)|裁量", ColumnRole.OTHER),
    (r"依据|法律|法规", ColumnRole.BASIS),
    (r"比例|频次|频率", ColumnRole.SAMPLING),
    (r"层级|级别", ColumnRole.LEVEL),
    (r"类别|类型|种类", ColumnRole.CATEGORY),
    (r"方式|方法|措施", ColumnRole.METHOD),
    (r"时间|时限|期限|日期", ColumnRole.PERIOD),
    (r"内容|要点", ColumnRole.CONTENT),
    (r"条线", ColumnRole.SECTOR),
    (r"情形|场景|一件事", ColumnRole.SITUATION),
    (r"处罚.*(事项|名称|行为|项目)|违法行为", ColumnRole.PENALTY),
    (r"权责|职权|权力", ColumnRole.OTHER),
    (r"(检查|抽查|监管|监督|执法).*(事项|项目|名称)|^事项(名称)?$|^项目(名称)?$", ColumnRole.CHECK),
    (r"领域|行业", ColumnRole.SITUATION),
]
# Of several columns of items the likeliest one: 检查事项 rather than 抽查事项 rather than 监管事项.
ITEM_WORDS = ("检查", "抽查", "监管")
# What a heading must be recognised as for its row to be a header at all.
LEAST_RECOGNISED = 3


@dataclass(frozen=True)
class Heading:
    """One column: where it stands in the sheet, its heading on one line, and what it says."""

    place: int
    text: str
    role: ColumnRole


@dataclass(frozen=True)
class Header:
    """The heading rows and every column of the table below them, left to right."""

    top: int
    bottom: int
    headings: tuple[Heading, ...]

    @property
    def roles(self) -> list[ColumnRole]:
        return [heading.role for heading in self.headings]

    @property
    def texts(self) -> list[str]:
        return [heading.text for heading in self.headings]

    @property
    def fingerprint(self) -> str:
        """What stands for this layout of columns in whatever file it comes again."""
        return digest_json(self.texts, "sha256")

    def column(self, role: ColumnRole) -> int | None:
        """The index of the column with this role, if there is one."""
        return self.roles.index(role) if role in self.roles else None

    def with_roles(self, roles: Sequence[ColumnRole]) -> "Header":
        """The same header as a person understands it."""
        pairs = zip(self.headings, roles, strict=True)
        return replace(self, headings=tuple(replace(heading, role=role) for heading, role in pairs))


def plain(text: str) -> str:
    """A text without the spaces and line breaks of its cell; words of Latin letters keep one space."""
    text = " ".join(text.split())
    return re.sub(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])", "", text) if " " in text else text


def find_header(sheet: Sheet) -> Header | None:
    """The row (or two) that looks most like the heading of a matrix; None when none does."""
    best: tuple[int, int] = (LEAST_RECOGNISED - 1, 0)
    for row in range(1, min(sheet.last_row, SEARCHED_ROWS) + 1):
        recognised = _recognised(sheet, row)
        if recognised > best[0]:
            best = (recognised, row)
    return read_header(sheet, best[1]) if best[1] else None


def read_header(sheet: Sheet, top: int, bottom: int | None = None) -> Header:
    """The header that begins in row `top`, with the roles its headings suggest.

    Without `bottom` the second row of a two-level header is found by itself.
    """
    bottom = bottom or max(_merged_bottom(sheet, top), top + _has_second_level(sheet, top))
    places = [
        place
        for place in range(1, sheet.last_column + 1)
        if any(sheet.value(row, place) for row in range(top, sheet.last_row + 1))
    ]
    texts = [_heading(sheet, top, bottom, place) for place in places]
    roles = _roles(sheet, bottom, places, texts)
    return Header(top, bottom, tuple(Heading(*each) for each in zip(places, texts, roles, strict=True)))


def suggested_role(text: str) -> ColumnRole:
    """What a heading says by its words alone."""
    text = _folded(text)
    if text in NUMBERS or text.endswith("序号"):
        return ColumnRole.NUMBER
    return next((role for pattern, role in PATTERNS if re.search(pattern, text)), ColumnRole.OTHER)


def is_heading_again(texts: Sequence[str], header: Header) -> bool:
    """Whether a line prints the header once more, as after a page break."""
    printed = [(plain(text), heading) for text, heading in zip(texts, header.texts, strict=True) if text]
    # Of a two-level header the line may show one level only.
    same = sum(bool(heading) and heading.endswith(text) for text, heading in printed)
    different = len(printed) - same
    return same >= 2 and same > different and different <= len(texts) // 4


def _recognised(sheet: Sheet, row: int) -> int:
    """How many different things the row's cells are headings of, an item's counting twice."""
    cells = [
        plain(sheet.value(row, place))
        for place in range(1, sheet.last_column + 1)
        if sheet.anchor(row, place) == (row, place)
    ]
    # A heading is short; a title or an item's text is not.
    roles = {suggested_role(text) for text in cells if 0 < len(text) <= 20} - {ColumnRole.OTHER}
    return len(roles) + (ColumnRole.CHECK in roles)


def _merged_bottom(sheet: Sheet, top: int) -> int:
    """The last row that a heading merged downwards covers."""
    merges = [sheet.merge_at(top, place) for place in range(1, sheet.last_column + 1)]
    return max([top, *(merge.bottom for merge in merges if merge and merge.top == top)])


def _has_second_level(sheet: Sheet, top: int) -> bool:
    """Whether the next row only divides headings of this one: it stands under nothing else."""
    if _merged_bottom(sheet, top) > top:
        return False
    divided, under_own = False, False
    for place in range(1, sheet.last_column + 1):
        below = sheet.texts.get((top + 1, place), "")
        if not below:
            continue
        merge = sheet.merge_at(top, place)
        spans = bool(merge and merge.right > merge.left)
        unnamed = not sheet.value(top, place)
        if (spans or unnamed) and len(below) <= 12 and not below.isdigit() and plain(below) not in PART_WORDS:
            divided = True
        else:
            under_own = True
    return divided and not under_own


def _heading(sheet: Sheet, top: int, bottom: int, place: int) -> str:
    """The levels of a heading joined, each said once."""
    levels = dict.fromkeys(plain(sheet.value(row, place)) for row in range(top, bottom + 1))
    return "".join(level for level in levels if level)


def _roles(sheet: Sheet, bottom: int, places: list[int], texts: list[str]) -> list[ColumnRole]:
    roles = [suggested_role(text) for text in texts]
    _own_departments(roles, texts)
    for at, place in enumerate(places):
        if roles[at] in (ColumnRole.CHECK_DEPARTMENT, ColumnRole.OTHER, ColumnRole.PARTNERS) and _says_part(
            sheet, bottom, place
        ):
            roles[at] = ColumnRole.PART
    _choose_item(roles, texts)
    _tell_situation_from_sector(roles, texts)
    seen: set[ColumnRole] = set()
    for at, role in enumerate(roles):
        if role in seen:
            roles[at] = ColumnRole.OTHER
        seen.add(role)
    return roles


def _own_departments(roles: list[ColumnRole], texts: list[str]) -> None:
    """Two columns of one name are told apart by position: 实施部门 right of 处罚事项 is who punishes."""
    item = None
    for at, role in enumerate(roles):
        if role in (ColumnRole.CHECK, ColumnRole.PENALTY):
            item = role
        elif role == ColumnRole.CHECK_DEPARTMENT and item == ColumnRole.PENALTY and "检查" not in texts[at]:
            roles[at] = ColumnRole.PENALTY_DEPARTMENT


def _says_part(sheet: Sheet, bottom: int, place: int) -> bool:
    """Whether the column under a heading prints 发起 and 配合 and nothing else."""
    texts = {plain(sheet.value(row, place)) for row in range(bottom + 1, sheet.last_row + 1)}
    # The heading printed again says nothing of its column (实施部门), and its upper level is no part either.
    texts -= {"", plain(sheet.value(bottom, place))}
    return bool(texts & PART_WORDS) and len(texts - PART_WORDS) <= 1


def _choose_item(roles: list[ColumnRole], texts: list[str]) -> None:
    """Of several columns of items one is the check item; a broader one left of it names the situation."""
    items = [at for at, role in enumerate(roles) if role == ColumnRole.CHECK]
    if len(items) < 2:
        return

    def rank(at: int) -> int:
        return next((rank for rank, word in enumerate(ITEM_WORDS) if word in texts[at]), len(ITEM_WORDS))

    chosen = min(items, key=lambda at: (rank(at), at))
    for at in items:
        if at != chosen:
            broader = at < chosen and ColumnRole.SITUATION not in roles
            roles[at] = ColumnRole.SITUATION if broader else ColumnRole.OTHER


def _tell_situation_from_sector(roles: list[ColumnRole], texts: list[str]) -> None:
    """领域 is the sector where a column of situations stands beside it."""
    fields = [
        at
        for at, text in enumerate(texts)
        if re.search("领域|行业", text) and roles[at] == ColumnRole.SITUATION
    ]
    others = any(role == ColumnRole.SITUATION and at not in fields for at, role in enumerate(roles))
    if fields and others and ColumnRole.SECTOR not in roles:
        roles[fields[0]] = ColumnRole.SECTOR


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()
