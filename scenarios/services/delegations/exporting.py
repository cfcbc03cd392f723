"""赋权清单 on its way out: the list, which the import reads back, and the grid as a sheet of its own."""

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from core.registers import workbooks
from scenarios.models import Delegation
from scenarios.services.delegations.grids import Grid
from scenarios.services.delegations.register import columns_of, exported

WRAPPED = Alignment(vertical="top", wrap_text=True)


def export(shown: Grid) -> Workbook:
    """The periods of the grid's towns and items, past and coming ones too, and the grid on its day."""
    items = {column.item.pk: column.item.name for column in shown.columns}
    periods = Delegation.objects.current().filter(
        town__in=[line.town for line in shown.lines], penalty_item__in=items
    )
    periods = periods.order_by("town__code", "delegation_list", "penalty_item", "valid_from")
    book = workbooks.export("赋权清单", columns_of(items), exported(periods.iterator()))
    _add_grid(book, shown)
    return book


def _add_grid(book: Workbook, shown: Grid) -> None:
    sheet = book.create_sheet(f"镇街×事项 {shown.day}")
    sheet.column_dimensions["A"].width = 14
    for number in range(2, len(shown.columns) + 2):
        sheet.column_dimensions[get_column_letter(number)].width = 18
    sheet.freeze_panes = "B3"
    groups = [group.label for group in shown.groups for _ in group.columns]
    sheet.append([_text(sheet, text, bold=True) for text in ("", *groups)])
    names = [column.item.name for column in shown.columns]
    sheet.append([_text(sheet, text, bold=True) for text in ("镇街", *names)])
    for line in shown.lines:
        sheet.append([_text(sheet, text) for text in (line.town.name, *(cell.text for cell in line.cells))])


def _text(sheet, text: str, *, bold: bool = False) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.alignment = WRAPPED
    cell.font = Font(bold=bold)
    return cell
