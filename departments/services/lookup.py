"""Which department a document means: by a known name, or, for a person to accept, by a near one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from departments.models import Department, DepartmentAlias
from departments.services.naming import PLACE, core_of, likeness, plain_name

SAME_CORE, LEAST_ALIKE = 0.95, 0.6
MOST_PROPOSED = 3


class KnownNames(Mapping[str, Department]):
    """Every name documents use → its department; however a name is spaced or widened, it is found."""

    def __init__(self, names: Mapping[str, Department]):
        self._names = {plain_name(name): department for name, department in names.items()}

    def __getitem__(self, name: str) -> Department:
        return self._names[plain_name(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def places(self) -> list[str]:
        """晋江 of 晋江市民政局: places that documents also print without 市."""
        found = {match.group()[:-1] for name in self._names if (match := PLACE.match(name))}
        return sorted(found, key=len, reverse=True)

    @cached_property
    def cores(self) -> dict[str, str]:
        """Each name's core (naming.core_of), worked out once a document."""
        return {name: core_of(name, self.places) for name in self._names}


@dataclass(frozen=True)
class Proposal:
    """A department a printed name may mean; `why` is for the person who decides, `score` from 0 to 1."""

    department: Department
    score: float
    why: str


def known_names() -> KnownNames:
    """All names in two queries; `find_department` for whole documents."""
    departments = {department.pk: department for department in Department.objects.all()}
    names = {
        alias: departments[pk] for alias, pk in DepartmentAlias.objects.values_list("alias", "department_id")
    }
    names |= {department.short_name: department for department in departments.values()}
    names |= {department.name: department for department in departments.values()}
    return KnownNames(names)


def find_department(name: str) -> Department | None:
    """The department a document means by `name`: full or short name, or an alias."""
    return known_names().get(name)


def propose_department(text: str, names: KnownNames | None = None) -> list[Proposal]:
    """Departments that an unknown name may mean, the likeliest first, at most three; never a decision.

    Hand over `known_names()` when asking for many.
    """
    names = known_names() if names is None else names
    if text in names:
        return [Proposal(names[text], 1.0, f"已登记的名称“{plain_name(text)}”")]
    wanted = core_of(text, names.places)
    best: dict[int, Proposal] = {}
    for name, core in names.cores.items():
        alike = likeness(wanted, core)
        if alike < LEAST_ALIKE:
            continue
        score = SAME_CORE * alike
        why = f"除地名和“局”“部门”等字外与“{name}”相同" if alike == 1 else f"与“{name}”字面相近"
        department = names[name]
        if department.pk not in best or best[department.pk].score < score:
            best[department.pk] = Proposal(department, round(score, 2), why)
    ordered = sorted(best.values(), key=lambda found: (-found.score, found.department.order))
    return ordered[:MOST_PROPOSED]
