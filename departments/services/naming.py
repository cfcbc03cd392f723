"""How documents print the names of departments, as text alone: one cell's names, and two names' likeness.

Nothing here knows which departments there are; `departments.services.lookup` does.
"""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

ENDS = "、，,。.;:·/\\|-—_"
# What an office's name ends with. In a list, an item without an ending shares that of the next item.
SHARED = "行政主管部门|主管部门|行政管理部门|行政执法部门|部门|局"
OWN = (
    "委员会|管委会|委|厅|办公室|办事处|办|大队|支队|总队|中队|队|中心|人民政府|政府|街道|镇|乡"
    "|人民法院|法院|人民检察院|检察院|机关|机构|分局|站|所|公司|协会"
)
COMPLETE = re.compile(rf"(?:(?P<shared>{SHARED})|{OWN})(?:\([^()]*\))?$")
ENDING = re.compile(rf"(?:{SHARED}|{OWN})$")

LABEL = re.compile(r"^(?:牵头|发起|主办|主责|配合|参与|协办|责任|实施|检查|抽查)(?:部门|单位):")
PART = re.compile(r"\((?:牵头|发起|主办|主责|配合|参与|协办)(?:部门|单位)?\)")
LEVEL = re.compile(
    r"^(?:县级以上|设区的市级?以上|省级|市级|县级|区级|本级|当地|所在地|属地|各县(?:\(市、区\))?)"
    r"(?:地方)?(?:各级)?(?:人民政府)?的?"
)
# 等部门, 等3个部门, 等有关单位: more are meant than are named.
OPEN = re.compile(r"等(?:(?:\d+|[一二两三四五六七八九十]+)个?)?(?:有关|相关)?(?:主管)?(部门|单位|机构)?$")
COUNTED = re.compile(r"(?:\d+|[二两三四五六七八九十]+)个?(?=(?:部门|局)$)")
# These words point at departments without naming any.
VAGUE = re.compile(
    r"(?:有关|相关|其他|其它|各|发起|牵头|配合|参与|责任|职能|多个?)(?:主管)?(?:部门|单位|成员单位)|待定|另行确定"
)
NOTHING = {"", "无", "暂无", "同上", "详见附件"}
LISTED = re.compile(r"[、,;/|](?![^()]*\))")
AND = re.compile(r"以及|会同|和|与|及(?!其)")
# 和 parts two departments after a whole name, or after a word that no office's name goes on from; 住房和城乡建设
# and 城市管理和综合执法 are one.
WHOLE = re.compile(
    r".*(?:局|委员会|部门|大队|支队|政府|机构)"
    r"|(?:民政|公安|司法|财政|税务|审计|统计|市场监管|市场监督管理|生态环境|消防|消防救援|应急管理|医疗保障"
    r"|人力资源和?社会保障|住房和?城乡建设)"
)

PLACE = re.compile(r"^[\u4e00-\u9fff]{2,3}?(?:省|自治区|市|县|区|州)(?!场)")
# 市 before a name is the city; in 市场 and 市政园林 it belongs to the name.
CITY = re.compile(r"^[省市州县区](?!场|容|政(?:园林|公用|工程|管理|设施))")
# The same office said shorter, or by its former name.
SAID_SHORT = {
    "人社": "人力资源社会保障",
    "住建": "住房城乡建设",
    "市监": "市场监管",
    "卫健": "卫生健康",
    "卫计": "卫生健康",
    "卫生计生": "卫生健康",
    "发改": "发展改革",
    "工信": "工业信息化",
    "文旅": "文化旅游",
    "城管": "城市管理",
    "城管执法": "城市管理综合执法",
    "医保": "医疗保障",
    "环保": "生态环境",
    "环境保护": "生态环境",
    "应急": "应急管理",
    "消防": "消防救援",
    "民宗": "民族宗教",
}
# 民政 and 财政 are one character apart, 应急管理 and 应急管里 too: only long names can be misprints of each other.
LONG_ENOUGH = 4


def plain_name(text: str) -> str:
    """A name as it is compared and kept: full-width forms folded, no spaces, no punctuation at the ends."""
    return "".join(unicodedata.normalize("NFKC", text).split()).strip(ENDS)


def split_departments(text: str) -> list[str] | None:
    """The names a cell prints, in order: 市公安局、市民政局等部门 → 市公安局, 市民政局.

    An ending said once counts for all: 县级以上民政、卫生健康部门 → 民政部门, 卫生健康部门. None when no department is
    named (有关部门, 由发起部门确定). Whether more are meant than named says `is_open_ended`.
    """
    listed = PART.sub("", _one_line(text)).strip(ENDS)
    opened = OPEN.search(listed)
    tail = (opened.group(1) or "") if opened else ""
    listed = COUNTED.sub("", OPEN.sub("", listed))
    names = [plain_name(LABEL.sub("", item)) for item in LISTED.split(listed)]
    names = [part for name in names for part in _parted(LEVEL.sub("", name))]
    named: list[str] = []
    for name in reversed(names):
        if name in NOTHING or name in "省市州县区" or VAGUE.search(name):
            continue
        complete = COMPLETE.search(name)
        if complete:
            tail = complete.group("shared") or ""
        named.append(name if complete else name + tail)
    return list(dict.fromkeys(reversed(named))) or None


def is_open_ended(text: str) -> bool:
    """Whether a cell means more departments than it names: 市公安局等部门, 有关部门."""
    listed = [LABEL.sub("", item) for item in LISTED.split(_one_line(text).strip(ENDS))]
    return any(OPEN.search(item) or VAGUE.search(item) for item in listed)


def core_of(name: str, places: Iterable[str] = ()) -> str:
    """What is left of a name without place, level and ending: 晋江市消防救援大队, 消防部门 → 消防救援.

    `places` are names of places that may stand without 市 (晋江民政局).
    """
    core = CITY.sub("", PLACE.sub("", LEVEL.sub("", plain_name(name))))
    for place in places:
        core = core.removeprefix(place)
    core = re.sub("[和与及]", "", core).replace("监督管理", "监管")
    while len(shorter := ENDING.sub("", core)) >= 2 and shorter != core:
        core = shorter
    return SAID_SHORT.get(core, core) or plain_name(name)


def likeness(one: str, other: str) -> float:
    """How alike two cores are, 0 to 1; short ones are the same or not alike at all."""
    if one == other:
        return 1.0
    if max(len(one), len(other)) < LONG_ENOUGH:
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _one_line(text: str) -> str:
    """Without the spaces and line breaks inside names; those between two whole names become 、."""
    joined: list[str] = []
    for part in unicodedata.normalize("NFKC", text).split():
        starts = CITY.match(part) or PLACE.match(part)
        if joined and not (starts and COMPLETE.search(part) and COMPLETE.search(joined[-1])):
            joined[-1] += part
        else:
            joined.append(part)
    return "、".join(joined)


def _parted(name: str) -> list[str]:
    """A name at its 和, where that parts two departments."""
    for found in AND.finditer(name):
        left, right = name[: found.start()], name[found.end() :]
        if right and WHOLE.fullmatch(CITY.sub("", left)):
            return [left, *_parted(right)]
    return [name]
