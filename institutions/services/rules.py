"""Rules over several fields of an institution; forms, services and the import ask the same ones."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from institutions.enums import FilingState
from institutions.models import LATITUDES, LONGITUDES

PAST = {"filed_on": "备案日期不能晚于今天。", "rated_on": "等级评定日期不能晚于今天。"}


def contradictions(said: Mapping[str, Any]) -> dict[str, str]:
    """Field → what is wrong with it, given the rest; `said` in JSON values (entries.said_by)."""
    wrong = {}
    if said["filing_state"] == FilingState.FILED and not said["filed_on"]:
        wrong["filed_on"] = "已备案的机构须填写备案日期。"
    today = date.today().isoformat()
    for name, sentence in PAST.items():
        if said[name] and said[name] > today:
            wrong[name] = sentence
    if said["nursing_beds"] is not None and said["nursing_beds"] > said["beds"]:
        wrong["nursing_beds"] = f"护理型床位数不能多于床位数（{said['beds']}张）。"
    if (said["longitude"] is None) != (said["latitude"] is None):
        missing = "longitude" if said["longitude"] is None else "latitude"
        wrong[missing] = "经度和纬度须同时填写。"
    for name, label, (least, most) in (("longitude", "经度", LONGITUDES), ("latitude", "纬度", LATITUDES)):
        if said[name] is not None and not least <= float(said[name]) <= most:
            wrong[name] = f"{label}应在{least}至{most}度之间。"
    return wrong
