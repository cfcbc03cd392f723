"""Columns of a register's workbook: what a cell may say, and how a value is written back into one.

A parser takes the raw cell (text, number, date) and returns the value in its JSON form, or raises
ValueError with the reason as a person reads it. No form per row: 100,000 rows are 2,000,000 cells.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from core.days import EARLIEST, LATEST, OUT_OF_RANGE
from core.spreadsheets.rows import printed
from core.spreadsheets.streaming import NO_RESULT

# A cell that says this empties the field; a blank one leaves it as it is.
CLEAR = "清空"
ERROR_VALUES = {"#N/A", "#REF!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#VALUE!"}
DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 0?0:00(?::00)?)?|(\d{4})(\d{2})(\d{2})")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
EXACT_NUMBER = 10**15
SEPARATORS = re.compile(r"[、,，;；/\n]+")


@dataclass(frozen=True)
class Kind:
    """What cells of a column hold: `parse` reads one, `show` writes a value back, `says` explains it."""

    parse: Callable[[Any], Any]
    show: Callable[[Any], Any]
    says: str
    empty: Any = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One field of a register in its workbook."""

    name: str
    heading: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    required: bool = False
    # May be left blank, but what is there cannot be emptied.
    lasting: bool = False
    example: str = ""
    note: str = ""
    width: int = 16

    def show(self, value: Any) -> Any:
        """The value as a cell says it; nothing for no value."""
        return "" if value is None or value == "" else self.kind.show(value)

    def told(self, value: Any) -> str:
        """The same as a text for a page; dates as everywhere in the portal."""
        return printed(self.show(value))


def text(most: int, *, says: str = "", check: Callable[[str], str] | None = None) -> Kind:
    """One line of text of at most `most` characters; `check` may refuse it or write it differently."""

    def parse(cell: Any) -> str:
        said = as_text(cell)
        if len(said) > most:
            raise ValueError(f"最多{most}个字，现有{len(said)}个字")
        return check(said) if check else said

    return Kind(parse, str, says or f"文字，最多{most}字", empty="")


def whole(least: int = 0, most: int = 100_000) -> Kind:
    def parse(cell: Any) -> int:
        number = cell if type(cell) is int else _number(cell)
        # Before it becomes an int: 1e800000 has as many digits.
        if not least <= number <= most:
            raise ValueError(f"应在{least}至{most}之间")
        if number != int(number):
            raise ValueError("应为整数")
        return int(number)

    return Kind(parse, int, f"整数，{least}至{most}")


def decimal(digits: int, places: int, *, least: Decimal | int = 0) -> Kind:
    """A number in its written form, e.g. "4860.50": floats do not come back the same."""
    most = Decimal(10) ** (digits - places)
    step = Decimal(1).scaleb(-places)

    def parse(cell: Any) -> str:
        number = _number(cell)
        if not least <= number < most:
            raise ValueError(f"应不小于{least}且小于{most}")
        return f"{number.quantize(step):f}"

    return Kind(parse, float, f"数字，最多{places}位小数", empty=None)


def day(*, past: bool = False) -> Kind:
    """A date as YYYY-MM-DD within EARLIEST and LATEST; with `past`, none after today."""

    def parse(cell: Any) -> str:
        found = as_day(cell)
        if past and found > date.today().isoformat():
            raise ValueError("不能晚于今天")
        if not EARLIEST.isoformat() <= found <= LATEST.isoformat():
            raise ValueError(OUT_OF_RANGE)
        return found

    return Kind(parse, date.fromisoformat, "日期，如 2025-03-01" + ("，不晚于今天" if past else ""))


def one_of(labels: Mapping[Any, str], *, aliases: Mapping[str, Any] | None = None, empty: Any = "") -> Kind:
    """One of the labels (or the value itself); `labels`: value → label, `aliases`: other wording → value."""
    known = {plain(label): value for value, label in labels.items()}
    known |= {plain(str(value)): value for value in labels}
    known |= {plain(other): value for other, value in (aliases or {}).items()}
    shown = tuple(dict.fromkeys(labels.values()))

    def parse(cell: Any) -> Any:
        try:
            return known[cell]
        except (KeyError, TypeError):
            pass
        said = as_text(cell)
        try:
            return known[plain(said)]
        except KeyError:
            raise ValueError(f"应为{' / '.join(shown[:8])}{' 等' if len(shown) > 8 else ''}之一") from None

    return Kind(parse, lambda value: labels.get(value, value), f"填：{' / '.join(shown)}", empty, shown)


def many_of(labels: Mapping[Any, str], *, nothing: Iterable[str] = ("无",)) -> Kind:
    """Several labels with 、 between them, kept in the order of `labels`."""
    known = {plain(label): value for value, label in labels.items()} | {
        plain(str(value)): value for value in labels
    }
    order = {value: number for number, value in enumerate(labels)}
    none = {plain(word) for word in nothing}

    @lru_cache(maxsize=4096)
    def read(said: str) -> tuple:
        values = set()
        for part in filter(None, map(plain, SEPARATORS.split(said))):
            if part in none:
                continue
            if part not in known:
                raise ValueError(f"不认识“{part}”，应为{'、'.join(labels.values())}")
            values.add(known[part])
        return tuple(sorted(values, key=order.__getitem__))

    def parse(cell: Any) -> list:
        return list(read(as_text(cell)))

    def show(values: list) -> str:
        return "、".join(labels.get(value, str(value)) for value in values)

    return Kind(parse, show, f"可多项，用“、”隔开：{' / '.join(labels.values())}", empty=[])


def yes_no() -> Kind:
    answers = {"是": True, "有": True, "否": False, "无": False, "yes": True, "no": False}

    def parse(cell: Any) -> bool:
        if isinstance(cell, bool):
            return cell
        said = plain(as_text(cell)).lower()
        if said not in answers:
            raise ValueError("应为是或否")
        return answers[said]

    return Kind(parse, lambda value: "是" if value else "否", "填：是 / 否", choices=("是", "否"))


def as_text(cell: Any) -> str:
    """A cell as one line of text. Raises ValueError for error values and numbers Excel has rounded."""
    if type(cell) is str:
        said = cell.strip()
        if "\n" in said or "_x000D_" in said:
            said = "".join(part.strip() for part in said.replace("_x000D_", "").splitlines())
        if not said.isprintable() and CONTROL.search(said):
            raise ValueError("含有不可见的控制字符")
        if said in ERROR_VALUES:
            raise ValueError(f"是错误值 {said}")
        if said == NO_RESULT:
            raise ValueError("是公式，文件里没有保存它的结果，请改为文字")
        return said
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= EXACT_NUMBER:
        raise ValueError("以数字格式保存，超过15位的数字已失真；请把该列设为文本格式后重填")
    return printed(cell).strip()


def as_day(cell: Any) -> str:
    """A cell as YYYY-MM-DD, however far off. Raises ValueError for what is no date."""
    return _day(cell) if isinstance(cell, str) else _day_of(cell)


@lru_cache(maxsize=65536)
def plain(said: str) -> str:
    """As names are compared: without spaces and full-width forms."""
    return "".join(unicodedata.normalize("NFKC", said).split())


def _number(cell: Any) -> Decimal:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise ValueError("应为数字")
    said = f"{cell:.15g}" if isinstance(cell, float) else str(cell)
    try:
        number = Decimal(unicodedata.normalize("NFKC", said).replace(",", "").strip())
    except InvalidOperation:
        raise ValueError("应为数字") from None
    if not number.is_finite():
        raise ValueError("应为数字")
    return number


@lru_cache(maxsize=65536)
def _day(said: str) -> str:
    found = DAY.fullmatch(unicodedata.normalize("NFKC", said).strip().replace(" 日", "日"))
    try:
        return date(*(int(part) for part in found.groups() if part)).isoformat()
    except (AttributeError, ValueError):
        raise ValueError("应为日期，如 2025-03-01") from None


def _day_of(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int) and 19000101 <= cell <= 99991231:
        return _day(str(cell))
    raise ValueError("应为日期，如 2025-03-01")
