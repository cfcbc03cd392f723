"""赋权清单 on its way out: the list, which the import reads back, and the grid as a sheet of its own."""

from core.spreadsheets import write_tables
from scenarios.models import Delegation
from scenarios.services.delegations.grids import Grid
from scenarios.services.delegations.register import columns_of, exported


def export(shown: Grid) -> bytes:
    """The periods of the grid's towns and items, past and coming ones too, and the grid on its day."""
    items = {column.item.pk: column.item.name for column in shown.columns}
    periods = Delegation.objects.current().filter(
        town__in=[line.town for line in shown.lines], penalty_item__in=items
    )
    periods = periods.order_by("town__code", "delegation_list", "penalty_item", "valid_from")
    columns = columns_of(items)
    lines = ([column.show(values[column.name]) for column in columns] for values in exported(periods))
    headings = {"镇街": 14} | dict.fromkeys(items.values(), 20)
    lists = ["清单", *(group.label for group in shown.groups for _ in group.columns)]
    towns = [[line.town.name, *(cell.text for cell in line.cells)] for line in shown.lines]
    return write_tables(
        {
            "赋权清单": ({column.heading: column.width for column in columns}, lines),
            f"镇街×事项 {shown.day}": (headings, [lists, *towns]),
        }
    )
