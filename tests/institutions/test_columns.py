"""The columns of the workbook: documented, known once each, and complete."""

from pathlib import Path

import pytest
from django.conf import settings

from core.spreadsheets.rows import plain_heading
from institutions.services.columns import columns
from institutions.services.entries import REGISTERED

pytestmark = pytest.mark.django_db

DOCS = Path(settings.BASE_DIR) / "docs" / "registers.md"


def described():
    """The lines of the document's table of columns."""
    table = DOCS.read_text().split("## 机构名录")[1].split("\n\n### ")[0]
    return [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| 列")]


def test_the_document_describes_every_column_as_it_is():
    assert described() == [
        "| {} | `{}` | {} | {} | {} |".format(
            column.heading,
            column.name,
            "是" if column.required else "",
            column.kind.says,
            "、".join(column.aliases),
        )
        for column in columns()
    ]


def test_no_two_columns_share_a_heading():
    headings = [plain_heading(text) for column in columns() for text in (column.heading, *column.aliases)]
    assert sorted(headings) == sorted(set(headings))


def test_every_field_of_the_register_is_a_column():
    assert set(REGISTERED) - {column.name for column in columns()} == set()
