"""Printed matrices for tests: the Jinjiang attachment, and small workbooks of its kind."""

import io
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

from departments.enums import Role
from departments.models import Department, User
from departments.services import add_alias
from tests.factories.departments import make_department, make_user

ROOT = Path(__file__).resolve().parent.parent.parent
JINJIANG = ROOT / "fixtures" / "jinjiang-matrix.xlsx"
TEXTS = ROOT / "fixtures" / "matrix-texts.json"

# How the Jinjiang attachment names each bureau.
ALIASES = {
    "minzheng": ["民政局"],
    "renshe": ["人社局"],
    "ziran": ["自然资源局"],
    "shichang": ["市场监管局"],
    "chengguan": ["城管执法局"],
    "shengtai": ["生态环境局"],
    "xiaofang": ["消防救援大队", "消防部门"],
}
THEME = ["主题：养老安全一件事", None, None, None, "牵头部门：市民政局", None, None]
HEADER = ["序号", "一件事情形", "条线", "检查事项", "实施部门", "处罚事项", "实施部门"]
PRINTED = [1, "对养老机构的监管", "民政", "人员资质检查", "民政局", "人员资格不符合规定的处罚", "民政局"]


def make_bureaus() -> dict[str, Department]:
    """The seven bureaus with the names the Jinjiang attachment uses, by code."""
    bureaus = {code: make_department(code) for code in ALIASES}
    for code, aliases in ALIASES.items():
        for alias in aliases:
            add_alias(bureaus[code], alias)
    return bureaus


def make_admin() -> User:
    """An account whose only post is 系统管理员."""
    return make_user(None, Role.SYSTEM_ADMIN)


def printed(**cells) -> list:
    """The row PRINTED with some cells changed: number, situation, sector, check, by, penalty, body."""
    names = ["number", "situation", "sector", "check", "by", "penalty", "body"]
    return [cells.get(name, value) for name, value in zip(names, PRINTED, strict=True)]


def make_workbook(
    rows: Sequence[Sequence],
    *,
    header: Sequence = HEADER,
    above: Sequence[Sequence] = (THEME,),
    merges: Sequence[str] = (),
    sheet: str = "清单",
) -> bytes:
    """An .xlsx of one sheet: the rows above, the header, the rows, and these merged areas."""
    book = Workbook()
    book.active.title = sheet
    for row in (*above, header, *rows):
        book.active.append(list(row))
    for area in merges:
        book.active.merge_cells(area)
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
