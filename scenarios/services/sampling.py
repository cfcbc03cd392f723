"""抽查比例和频次 as lists print it, understood where it can be: a rule to offer, never one to impose."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation

DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
COUNT = r"(\d+|[一二两三四五六七八九十])"
UNIT = r"(?:所|家|个|户|处|次)"
PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
# 10所及以下不少于2所；超过10所不低于50%
PIECEWISE = re.compile(
    rf"{COUNT}{UNIT}?(?:\(含\))?(?:及以下|以下|以内)(?:的)?,?(?:按|抽查|抽取|应)?(?:不少于|不低于|至少){COUNT}{UNIT}"
    rf".*?(?:超过{COUNT}{UNIT}?|{COUNT}{UNIT}?以上)(?:的)?,?(?:按|抽查|抽取|应)?(?:比例)?(?:不低于|不少于|至少)?(\d+(?:\.\d+)?)%"
)
AT_LEAST = re.compile(rf"(?:不少于|至少|不低于){COUNT}(?:所|家|个|户|处)")
EVERYTHING = re.compile(r"全覆盖|全部检查|全部抽查|逐一检查|100%")
PER_YEAR = re.compile(
    rf"(?:每年|年度|全年)(?:内)?(?:抽查|检查|开展|不少于|至少|各)*{COUNT}次|{COUNT}次[/每]年"
)
PER_HALF = re.compile(rf"每半年(?:抽查|检查|开展|不少于|至少)*{COUNT}次")
PER_QUARTER = re.compile(rf"每(?:个)?季度?(?:抽查|检查|开展|不少于|至少)*{COUNT}次")
# 共14家抽了2家 reports what was drawn once, and rules nothing.
REPORTED = re.compile(r"共\d+[家所个].{0,4}抽")


def parse_sampling(text: str) -> dict:
    """What a printed text rules: {"bands": [{"percent": "40"}], "per_year": 1}; {} when it rules nothing.

    `bands` hold by the number there are, the last without an end: `upto` (most that the band is for),
    `at_least` (so many) and `percent` (of all, rounded up by whoever draws). 不低于 is the rule's own bound.
    """
    said = "".join(unicodedata.normalize("NFKC", text).split()).replace("，", ",")
    if not said or REPORTED.search(said):
        return _with_frequency({}, said)
    bands: list[dict] = []
    piecewise = PIECEWISE.search(said)
    if piecewise:
        upto, least, over, above, percent = piecewise.groups()
        if _number(over or above) == _number(upto):
            bands = [{"upto": _number(upto), "at_least": _number(least)}, {"percent": _percent(percent)}]
    elif EVERYTHING.search(said):
        bands = [{"percent": "100"}]
    elif found := PERCENT.findall(said):
        # Two percentages without a rule between them are two rules; which is meant is not ours to say.
        if len(set(found)) == 1 and (percent := _percent(found[0])):
            least = AT_LEAST.search(said)
            bands = [{"percent": percent} | ({"at_least": _number(least.group(1))} if least else {})]
    elif least := AT_LEAST.search(said):
        bands = [{"at_least": _number(least.group(1))}]
    return _with_frequency({"bands": bands} if bands else {}, said)


def _with_frequency(rule: dict, said: str) -> dict:
    for pattern, times in ((PER_YEAR, 1), (PER_HALF, 2), (PER_QUARTER, 4)):
        if found := pattern.search(said):
            return rule | {"per_year": _number(next(filter(None, found.groups()))) * times}
    return rule


def _number(text: str) -> int:
    return DIGITS[text] if text in DIGITS else int(text)


def _percent(text: str) -> str:
    """As the draw spells it; "" for what is no share."""
    try:
        percent = Decimal(text)
    except InvalidOperation:
        return ""
    return f"{percent.normalize():f}" if 0 < percent <= 100 else ""
