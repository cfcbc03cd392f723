"""Which institution of the register a row of a workbook is about."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from core.registers import Existing, Values
from institutions.models import Institution, InstitutionQuerySet
from institutions.services import entries

CONVERTED = ("longitude", "latitude", "floor_area", "filed_on", "opened_on", "rated_on", "food_licence_until")


class Known:
    """What the register knows of a chunk of rows: five queries, however many rows."""

    def __init__(self, rows: Sequence[Values]):
        self.by_code = dict(self._find("uscc", rows).values_list("uscc", "pk"))
        numbers = self._find("temporary_number", rows).values_list("temporary_number", "pk", "merged_into")
        self.by_number = {number: into or pk for number, pk, into in numbers}
        self.by_name = defaultdict(list)
        # A new code may be the one a registration without a code was waiting for.
        coded = [row for row in rows if row.get("uscc") and row["uscc"] not in self.by_code]
        uncoded = [row for row in rows if not row.get("uscc")]
        for named in (self._find("name", coded).filter(uscc=None), self._find("name", uncoded)):
            for name, town, pk, uscc in named.current().values_list("name", "town__code", "pk", "uscc"):
                self.by_name[name, town].append((pk, uscc))
        pks = {*self.by_code.values(), *self.by_number.values()}
        pks |= {pk for found in self.by_name.values() for pk, _ in found}
        self.said = said_of(Institution.objects.filter(pk__in=among(pks, "bigint"))) if pks else {}

    @staticmethod
    def _find(field: str, rows: Iterable[Values]) -> InstitutionQuerySet:
        wanted = {row[field] for row in rows if row.get(field)}
        found = Institution.objects.filter(**{f"{field}__in": among(wanted)}) if wanted else None
        return Institution.objects.none() if found is None else found.order_by()

    def find(self, row: Values) -> Existing | None:
        code, number = row.get("uscc"), row.get("temporary_number")
        by_code, by_number = self.by_code.get(code), self.by_number.get(number)
        if by_code and by_number and by_code != by_number:
            first, second = self.said[by_number]["name"], self.said[by_code]["name"]
            reason = f"临时编号属于“{first}”，信用代码属于“{second}”；请在机构页合并"
            return Existing(None, {}, errors={"temporary_number": reason})
        if pk := by_code or by_number:
            return Existing(pk, self.said[pk])
        if number:
            return None
        # A code nobody has may be the one a temporary registration was waiting for.
        namesakes = [
            pk for pk, uscc in self.by_name.get((row.get("name"), row.get("town")), []) if not (code and uscc)
        ]
        if len(namesakes) > 1:
            reason = f"名录里{len(namesakes)}家机构同名同镇街，请填信用代码或临时编号"
            return Existing(None, {}, errors={"name": reason})
        if not namesakes:
            return None
        said = self.said[namesakes[0]]
        known_as = said["uscc"] or said["temporary_number"]
        remark = f"按名称和镇街认定为名录里的 {known_as}" + ("，将补填统一社会信用代码" if code else "")
        return Existing(namesakes[0], said, remarks={"name": remark})


def among(values: Iterable[int | str], kind: str = "text") -> RawSQL:
    """For `__in`: thousands of values as one array, which PostgreSQL joins instead of comparing with each."""
    return RawSQL(f"SELECT unnest(%s::{kind}[])", [list(values)])  # noqa: S611  the kind is a word of ours


def said_of(institutions: QuerySet[Institution]) -> dict[int, Values]:
    """Primary key → what the register says, in JSON values, with key and temporary number."""
    return {row["pk"]: _plainly(row) for row in _rows(institutions.order_by())}


def all_said(institutions: QuerySet[Institution]) -> Iterator[Values]:
    """The same one by one, in the order of the queryset; read in portions."""
    return map(_plainly, _rows(institutions).iterator(chunk_size=2000))


def _rows(institutions: QuerySet[Institution]) -> QuerySet:
    named = [name for name in entries.REGISTERED if name != "town"]
    return institutions.annotate(town_code=F("town__code")).values(
        "pk", "key", "temporary_number", "town_code", *named
    )


def _plainly(row: Values) -> Values:
    row["town"] = row.pop("town_code")
    for name in CONVERTED:
        row[name] = entries.plain_value(name, row[name])
    return row
