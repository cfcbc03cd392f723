"""Numbers as a workbook prints them: 40%, 0.50, 007, 1,200, 12家, 2024-12-02."""

import re
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

GENERAL = "General"
# Nothing larger is counted in a list; a float has no such digits anyway.
MOST = 10**20
# Built-in formats of Chinese Excel and WPS that openpyxl's table, made for the West, lacks.
CHINESE_FORMATS = {
    27: "yyyy年m月",
    28: "m月d日",
    29: "m月d日",
    30: "m-d-yy",
    31: "yyyy年m月d日",
    32: "h时mm分",
    33: "h时mm分ss秒",
    34: "h时mm分",
    35: "h时mm分ss秒",
    36: "yyyy年m月",
    50: "yyyy年m月",
    51: "m月d日",
    52: "yyyy年m月",
    53: "m月d日",
    54: "m月d日",
    55: "h时mm分",
    56: "h时mm分ss秒",
    57: "yyyy年m月",
    58: "m月d日",
}
# In a format: colours and locales, quoted texts, escaped characters, blanks as wide as, fillers.
DECORATION = re.compile(r'\[[^\]]*\]|"([^"]*)"|\\(.)|_.|\*.')


def builtin_format(number: int) -> str:
    """The format behind a built-in number."""
    return CHINESE_FORMATS.get(number) or BUILTIN_FORMATS.get(number, GENERAL)


def printed(value: int | float, code: str = GENERAL, *, mac: bool = False) -> str:
    """The number as `code` prints it; formats beyond counting, percent and dates print it plainly."""
    if not isfinite(value) or abs(value) > MOST:
        return _plain(value)
    if is_date_format(code):
        return _moment(value, code, mac)
    if code in (GENERAL, "@", ""):
        return _plain(value)
    section = code.split(";")[0]
    literals: list[str] = []

    def set_aside(found: re.Match) -> str:
        literals.append(found[1] or found[2] or "")
        return "\0"

    bare = DECORATION.sub(set_aside, section).replace("G/通用格式", GENERAL)
    body = re.search(r"General|[#0][#0,]*(?:\.[0#]*)?|\.[0#]+", bare)
    if not body or re.search(r"[?/E@]|[#0]", bare[: body.start()] + bare[body.end() :]):
        return _plain(value)
    number = _plain(value) if body[0] == GENERAL else _counted(value, body[0], percent="%" in bare)
    text = bare[: body.start()] + number + bare[body.end() :]
    for literal in literals:
        text = text.replace("\0", literal, 1)
    # The minus stands before everything the format adds.
    return f"-{text.replace('-', '', 1)}" if number.startswith("-") else text


def moment_of(value: int | float, code: str, *, mac: bool = False) -> datetime | time | timedelta | None:
    """The date, time or span a number stands for in a format of these; None in any other."""
    if not is_date_format(code) or not isfinite(value):
        return None
    try:
        epoch = MAC_EPOCH if mac else WINDOWS_EPOCH
        return from_excel(value, epoch, timedelta=is_timedelta_format(code))
    except (OverflowError, ValueError):
        return None


def _plain(value: int | float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def _counted(value: int | float, places: str, *, percent: bool) -> str:
    """The number rounded as printed, with the leading and trailing zeros its format asks for."""
    whole, _, fraction = places.partition(".")
    if whole.endswith(","):  # thousands; nobody counts inspections so
        return _plain(value)
    exact = Decimal(value if isinstance(value, int) else f"{value:.15g}") * (100 if percent else 1)
    number = exact.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    least = fraction.count("0")
    digits, _, decimals = f"{abs(number):{',' if ',' in whole else ''}f}".partition(".")
    decimals = decimals[:least] + decimals[least:].rstrip("0")
    digits = digits.zfill(whole.count("0")) if "," not in whole else digits
    sign = "-" if number < 0 else ""
    return f"{sign}{digits}.{decimals}" if decimals else f"{sign}{digits}"


def _moment(value: int | float, code: str, mac: bool) -> str:
    """A date, a time or both; with 年月日 where the format has them, else as ISO writes it."""
    moment = moment_of(value, code, mac=mac)
    if moment is None:
        return _plain(value)
    if isinstance(moment, timedelta):
        return _duration(moment)
    bare = DECORATION.sub(lambda found: found[1] or found[2] or "", code.split(";")[0]).lower()
    if isinstance(moment, time):
        # Midnight of no day: what a time alone, or a blank date, is kept as.
        return moment.strftime("%H:%M:%S" if "s" in bare else "%H:%M")
    day = _day(moment, bare)
    if "h" not in bare or (day and moment.time() == time()):
        return day
    clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    return f"{day} {clock}".strip()


def _day(moment: datetime, bare: str) -> str:
    has_month = bool(re.search(r"m", re.sub(r"h[^a-z]*m+|m+[^a-z]*s", "", bare)))
    if "年" in bare or "月" in bare:
        return (
            (f"{moment.year}年" if "y" in bare else "")
            + (f"{moment.month}月" if has_month else "")
            + (f"{moment.day}日" if "d" in bare else "")
        )
    if "d" in bare:
        return moment.date().isoformat()
    if "y" in bare:
        return f"{moment:%Y-%m}" if has_month else f"{moment:%Y}"
    return ""


def _duration(span: timedelta) -> str:
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
