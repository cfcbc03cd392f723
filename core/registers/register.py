"""What an app declares to have a register imported: its columns, its key, and how its rows are written."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from core.models import ImportRun
from core.registers.columns import Column

Values = dict[str, Any]


class Row(NamedTuple):
    """A staged row on its way into the register."""

    line: int
    verdict: str
    values: Values
    # Field → what the register said when the row was read, of those it changes.
    before: Values


@dataclass(frozen=True)
class Existing:
    """What the register has already for a row: `values` in their JSON form, as the parsers give them."""

    pk: int | None
    values: Values
    # Field → why this one was taken for the row's, where the key alone does not say so.
    remarks: Mapping[str, str] = field(default_factory=dict)
    # Field → why none could be taken, although the register has something (then `pk` is None).
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Findings:
    """What a check of one row found, by field: errors keep the row out, remarks are only shown."""

    errors: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)


class Register(ABC):
    """Subclassed once a register; the instance stands in the app's services."""

    # Which runs are this register's, e.g. "institutions".
    name: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str] = "行"
    # The fields by which a row is found again; an error about the key is shown at the first one given.
    key_fields: ClassVar[tuple[str, ...]]
    # Names of the two Celery tasks, which call `reading.read` and `writing.write` with this register.
    read_task: ClassVar[str]
    write_task: ClassVar[str]

    @abstractmethod
    def require(self, user: Any) -> None:
        """Raise PermissionDenied unless the account may import into this register."""

    @abstractmethod
    def columns(self, actor: str) -> list[Column]:
        """The columns for this account's import, e.g. with its own departments to choose from."""

    def key(self, values: Values) -> str:
        """What two rows about the same thing have in common; "" when the row does not say enough."""
        said = [values.get(name) for name in self.key_fields]
        return "·".join(map(str, said)) if all(said) else ""

    @abstractmethod
    def match(self, rows: Sequence[Values]) -> list[Existing | None]:
        """What the register has for each row, in one or two queries for all of them."""

    def told_to(self, actor: str) -> "Register":
        """This register as the account may be told of it, where not everybody may see all that is compared."""
        return self

    def check(self, values: Values, existing: Existing | None) -> Findings:
        """Rules over several fields, and what the register would say of the row as it will be."""
        return Findings()

    def check_together(self, run: ImportRun) -> Iterable[tuple[int, dict[str, str]]]:
        """Errors that only show once all rows are staged: line, field → reason. Only of rows without others."""
        return ()

    @abstractmethod
    def write(self, run: ImportRun, rows: Sequence[Row]) -> None:
        """Write new and changed rows and their ledger entries, within the caller's transaction.

        What the register says may have changed since the rows were read: `match` again under lock, and have
        `judging.require_same` say of each row that it does what its preview said. Raising DomainError stops the
        run: chunks written before stay, nothing of this one does.
        """

    @abstractmethod
    def finish(self, run: ImportRun) -> None:
        """The ledger entry for the run as a whole, within the transaction that ends it; of one that was stopped,
        `run.unwritten` says how many rows it left."""
