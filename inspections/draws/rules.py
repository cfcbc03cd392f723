"""抽取规则: how many of a stratum are drawn, and so how likely each of its members is to be drawn."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import Any

PERCENT = re.compile(r"(?:100|[1-9]\d?)(?:\.0{1,2})?|\d{1,2}\.\d{1,2}")
MOST = 1_000_000
ROUNDING = "不足一家的按一家计"


class RuleError(ValueError):
    """A rule nobody can draw by; the message is a Chinese sentence."""


@dataclass(frozen=True)
class Band:
    """What holds for a stratum of up to `upto` members (None: of any size): so many and so many percent at least."""

    percent: Decimal = Decimal(0)
    at_least: int = 0
    upto: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 100 or self.percent.as_tuple().exponent < -2:
            raise RuleError("抽取比例应大于 0、不超过 100，至多两位小数。")
        if not 0 <= self.at_least <= MOST:
            raise RuleError("最少抽取数应为不超过 1000000 的整数。")
        if not self.percent and not self.at_least:
            raise RuleError("抽取比例和最少抽取数不能都为 0。")

    def size(self, members: int) -> int:
        """How many of `members`: rounded up, never more than there are."""
        return min(members, max(self.at_least, ceil(members * self.percent / 100)))

    def as_json(self) -> dict[str, Any]:
        shown = {"percent": spelled(self.percent)} if self.percent else {}
        if self.at_least:
            shown["at_least"] = self.at_least
        if self.upto is not None:
            shown["upto"] = self.upto
        return shown

    def sentence(self) -> str:
        if self.percent == 100:
            return "全部抽取"
        if not self.at_least:
            return f"抽取 {spelled(self.percent)}%"
        if not self.percent:
            return f"抽取 {self.at_least} 家"
        return f"抽取 {spelled(self.percent)}%、至少 {self.at_least} 家"


@dataclass(frozen=True)
class Rate:
    """What one stratum is drawn by: bands by its size, the last of them without an end."""

    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        if not self.bands:
            raise RuleError("请填写抽取比例或最少抽取数。")
        ends = [band.upto for band in self.bands]
        if ends[-1] is not None or None in ends[:-1]:
            raise RuleError("分段规则的最后一段、也只有最后一段，适用于其余任何数量。")
        if ends[:-1] != sorted(set(ends[:-1])) or any(end < 1 for end in ends[:-1]):
            raise RuleError("分段规则的各段上限应从小到大。")

    def size(self, members: int) -> int:
        """How many of `members` are drawn."""
        band = next(band for band in self.bands if band.upto is None or members <= band.upto)
        return band.size(members)

    def as_json(self) -> list[dict[str, Any]]:
        return [band.as_json() for band in self.bands]

    def sentence(self) -> str:
        if len(self.bands) == 1:
            return self.bands[0].sentence()
        parts = [f"{band.upto} 家及以下{band.sentence()}" for band in self.bands[:-1]]
        return "，".join([*parts, f"超过 {self.bands[-2].upto} 家{self.bands[-1].sentence()}"])


def everything() -> Rate:
    """全部抽取"""
    return percent(100)


def percent(value: Decimal | int | str, *, at_least: int = 0) -> Rate:
    """按比例抽取, and never fewer than `at_least`."""
    return Rate((Band(Decimal(value), at_least),))


def piecewise(upto: int, *, at_least: int, beyond: Decimal | int | str) -> Rate:
    """`upto` 家及以下不少于 `at_least` 家, `beyond` percent of more (B1: 10所及以下不少于2所)."""
    return Rate((Band(at_least=at_least, upto=upto), Band(Decimal(beyond))))


@dataclass(frozen=True)
class SamplingRule:
    """A rate for every stratum: its own where the rule gives one, `otherwise` for the others.

    `by` names what the strata are of (信用等级, 镇街, …); without it all institutions are one stratum.
    Every stratum is drawn and rounded up by itself. No stratum has the rate nought: nobody is exempt.
    """

    otherwise: Rate
    by: str = ""
    rates: Mapping[str, Rate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rates and not self.by:
            raise RuleError("各层另定比例时，应说明按什么分层。")

    def rate_of(self, stratum: str) -> Rate:
        return self.rates.get(stratum, self.otherwise)

    def size(self, stratum: str, members: int) -> int:
        """How many of the stratum's `members` are drawn."""
        return self.rate_of(stratum).size(members)

    def probability(self, stratum: str, members: int) -> str:
        """How likely each member is to be drawn, exactly: "3/10"."""
        return f"{self.size(stratum, members)}/{members}"

    def as_json(self) -> dict[str, Any]:
        return {
            "by": self.by,
            "otherwise": self.otherwise.as_json(),
            "rates": {stratum: rate.as_json() for stratum, rate in sorted(self.rates.items())},
        }

    def sentence(self, *, by: str = "", labels: Mapping[str, str] | None = None) -> str:
        """The rule in words; `by` and `labels` say what the strata are called."""
        if not self.by:
            return f"{self.otherwise.sentence()}，{ROUNDING}。"
        names = labels or {}
        own = [f"{names.get(stratum, stratum)}{rate.sentence()}" for stratum, rate in self.rates.items()]
        others = f"{'其余各层' if own else '每层'}{self.otherwise.sentence()}"
        return f"按{by or self.by}分层：{'；'.join([*own, others])}。各层分别计算，{ROUNDING}。"


def from_json(value: Any) -> SamplingRule:
    """The rule `as_json` wrote. Raises RuleError for anything else."""
    try:
        return SamplingRule(
            otherwise=rate_from_json(value["otherwise"]),
            by=str(value["by"]),
            rates={str(stratum): rate_from_json(bands) for stratum, bands in value["rates"].items()},
        )
    except (KeyError, TypeError, AttributeError):
        raise RuleError("抽取规则的格式不对。")


def rate_from_json(bands: Any) -> Rate:
    """The rate `Rate.as_json` wrote. Raises RuleError for anything else."""
    try:
        return Rate(tuple(_band(band) for band in bands))
    except (TypeError, AttributeError):
        raise RuleError("抽取规则的格式不对。")


def _band(band: Any) -> Band:
    written = band.get("percent", "0")
    at_least, upto = band.get("at_least", 0), band.get("upto")
    if written != "0" and not (isinstance(written, str) and PERCENT.fullmatch(written)):
        raise RuleError("抽取规则中的比例应写作“30”或“12.5”。")
    if type(at_least) is not int or not (upto is None or type(upto) is int):
        raise RuleError("抽取规则中的数量应为整数。")
    return Band(Decimal(written), at_least, upto)


def spelled(number: Decimal) -> str:
    """30 and 12.5, however they were typed."""
    return f"{number.normalize():f}"
