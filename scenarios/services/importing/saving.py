"""A printed matrix becomes a draft version: all of it, or nothing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from core import files
from core.digests import digest_bytes, digest_text
from core.errors import DomainError
from core.models import StoredFile
from core.spreadsheets import Workbook, open_workbook
from departments import services as departments
from departments.enums import DepartmentKind, Role
from departments.models import Department, Sector, User
from ledger import services as ledger
from scenarios import permissions
from scenarios.enums import ColumnRole, Event, PenaltyBodyKind, RowPart
from scenarios.models import CheckItem, ColumnLayout, MatrixRow, PenaltyItem, Scenario, ScenarioVersion
from scenarios.services.importing.headings import Header, find_header, plain, read_header
from scenarios.services.importing.problems import DEPARTMENT, NEW, Problem, UnresolvedError
from scenarios.services.importing.reading import Reading, read_matrix
from scenarios.services.importing.resolving import ResolvedRow, Resolver
from scenarios.services.sampling import parse_sampling

LEAD_KEY = "lead"
THEME_KEY = "theme"
LONGEST_THEME = 128


class DuplicateError(DomainError):
    """The same file was imported before; nothing was saved."""

    def __init__(self, version: ScenarioVersion):
        self.version = version
        super().__init__(
            f"这个文件已导入为“{version}”（{version.get_state_display()}），未重复导入。", code="duplicate"
        )


@dataclass(frozen=True)
class Columns:
    """What a person says of a sheet: where its header is and what each column means."""

    sheet: str
    top: int
    bottom: int
    roles: tuple[ColumnRole, ...]


@dataclass(frozen=True)
class Preview:
    """What an import would do, and the questions in its way."""

    reading: Reading
    rows: list[ResolvedRow]
    left_out: set[int]
    # Every question there was, and those that still want an answer.
    asked: list[Problem]
    problems: list[Problem]
    # Cells of which it is still asked whose text they share: (row of the sheet, column).
    open: set[tuple[int, int]]
    learnt: dict[str, Department]
    lead: Department | None
    theme: str
    notes: list[str] = field(default_factory=list)


def preview(
    workbook: Workbook,
    *,
    columns: Columns | None = None,
    answers: Mapping[str, str] | None = None,
    may_create: bool = False,
) -> Preview:
    """Read and resolve without saving anything. Raises DomainError for what is no matrix.

    `answers` are words by question (scenarios/services/problems.py); `may_create` offers to register
    departments nobody knows yet.
    """
    answers = answers or {}
    reading = read_matrix(workbook, *chosen_header(workbook, columns))
    resolver = Resolver(reading, answers=answers, may_create=may_create)
    rows, left_out = resolver.resolve()
    lead, lead_problem = _lead(reading, resolver)
    asked = [*lead_problem, *resolver.asked]
    problems = [*([] if lead else lead_problem), *resolver.problems]
    if not problems and not rows:
        raise DomainError("所有事项行都被选择不导入，没有可保存的内容。")
    theme = plain(answers.get(THEME_KEY, "")) or reading.theme or reading.title
    notes = [*reading.notes, *resolver.notes]
    return Preview(
        reading, rows, left_out, asked, problems, resolver.open, resolver.learnt, lead, theme, notes
    )


def chosen_header(workbook: Workbook, columns: Columns | None) -> tuple[Header | None, str]:
    """The header to read by and its sheet: as a person said, as somebody said of such columns before, or
    as the headings suggest (then None)."""
    if columns:
        sheet = next((sheet for sheet in workbook.sheets if sheet.name == columns.sheet), None)
        if sheet is None:
            raise DomainError(f"没有工作表“{columns.sheet}”。")
        header = read_header(sheet, columns.top, columns.bottom)
        if len(columns.roles) == len(header.headings):
            header = header.with_roles(columns.roles)
        return header, sheet.name
    for sheet in workbook.sheets:
        header = find_header(sheet)
        if header and (known := remembered(header)):
            return header.with_roles(known), sheet.name
        if header:
            break
    return None, ""


def remembered(header: Header) -> list[ColumnRole] | None:
    """What columns of these headings were said to mean the last time."""
    layout = ColumnLayout.objects.filter(fingerprint=header.fingerprint).first()
    return [ColumnRole(role) for role in layout.roles] if layout else None


def remember(header: Header, *, actor: User) -> None:
    """Keep what a person said the columns mean for the next sheet with the same headings."""
    ColumnLayout.objects.update_or_create(
        fingerprint=header.fingerprint,
        defaults={"headings": header.texts, "roles": header.roles, "learnt_from": actor},
    )


@transaction.atomic
def import_matrix(
    workbook: Workbook,
    *,
    digest: str,
    keep: Callable[[], StoredFile],
    actor: User,
    columns: Columns | None = None,
    answers: Mapping[str, str] | None = None,
    again: bool = False,
) -> ScenarioVersion:
    """Save the matrix as the next draft of the scenario it names (its 主题).

    `digest` is that of the file, which `keep` stores (or finds stored) once nothing stands in the way.
    `answers` hold a word for every question (scenarios/services/problems.py), or `row:<line>` left out.
    A name answered becomes an alias.

    Raises UnresolvedError with every open problem, DuplicateError for a file imported before
    (unless `again`), PermissionDenied unless the account edits the lead department's scenarios.
    Nothing is saved in any of these cases.
    """
    answers = _register_new(answers or {}, actor)
    may_create = actor.holds(Role.SYSTEM_ADMIN)
    plan = preview(workbook, columns=columns, answers=answers, may_create=may_create)
    if plan.lead:
        require_importing(actor, plan.lead)
    if plan.problems:
        raise UnresolvedError(plan.problems)
    # Under the scenario's lock: a form sent twice waits here and finds what the first one made.
    scenario = _scenario(plan, actor)
    before = None if again else imported_as(digest)
    if before:
        raise DuplicateError(before)
    for alias, department in plan.learnt.items():
        departments.add_alias(department, alias, actor=actor)
    version = ScenarioVersion.objects.create(
        scenario=scenario,
        number=(scenario.versions.aggregate(last=Max("number"))["last"] or 0) + 1,
        title=(plan.reading.title or scenario.name)[:200],
        layout=plan.reading.layout(plan.left_out),
        created_by=actor,
        source_file=keep(),
    )
    _save_rows(version, plan)
    ledger.append(
        scenario.subject,
        Event.IMPORTED,
        {
            "version": version.pk,
            "number": version.number,
            "file": digest,
            "rows": len({row.read.line for row in plan.rows}),
            "left_out": sorted(plan.left_out),
            "aliases": {digest_text(alias): department.code for alias, department in plan.learnt.items()},
        },
        actor=actor.key,
        department=scenario.lead_department.key,
    )
    return version


def import_workbook(data: bytes, *, name: str, actor: User, **how) -> ScenarioVersion:
    """`import_matrix` of a file's bytes."""
    return import_matrix(
        open_workbook(data, name),
        digest=digest_bytes(data),
        keep=lambda: files.store(data, name=name, content_type=files.WORKBOOK_TYPE),
        actor=actor,
        **how,
    )


def imported_as(digest: str) -> ScenarioVersion | None:
    """The latest version made from a file with this digest."""
    return (
        ScenarioVersion.objects.filter(source_file__digest=digest)
        .select_related("scenario")
        .order_by("-pk")
        .first()
    )


def require_importing(actor: User, lead: Department) -> None:
    """Raise PermissionDenied unless 系统管理员, or 经办 and above in the department that leads."""
    if not actor.holds(Role.SYSTEM_ADMIN) and not actor.holds(*permissions.EDITING_ROLES, department=lead):
        raise PermissionDenied(f"只有系统管理员或{lead.short_name}可以导入由其牵头的事项清单。")


def _register_new(answers: Mapping[str, str], actor: User) -> dict[str, str]:
    """Departments that are to be registered first, and the answers naming them by their new codes."""
    registered = dict(answers)
    for key, answer in answers.items():
        if answer == NEW:
            name = key.partition(":")[2]
            department = departments.enter_department(
                actor=actor,
                kind=DepartmentKind.BUREAU,
                code=f"bureau-{Department.objects.count() + 1}",
                name=name,
                short_name=name,
            )
            registered[key] = f"{DEPARTMENT}{department.code}"
    return registered


def _lead(reading: Reading, resolver: Resolver) -> tuple[Department | None, list[Problem]]:
    """The lead department the sheet prints; else the question who leads, and who was chosen."""
    printed = resolver.names.get(reading.lead.text) if reading.lead else None
    chosen = resolver.chosen(LEAD_KEY)
    if printed and chosen and printed != chosen:
        raise DomainError(
            f"清单写明牵头部门是{printed.short_name}，与所选的{chosen.short_name}不一致。",
            fields={"lead_department": "与清单不一致"},
        )
    if printed:
        return printed, []
    if chosen and reading.lead:
        resolver.learn(reading.lead.text, chosen)
    text, cell = (reading.lead.text, reading.lead.cell) if reading.lead else ("", "A1")
    reason = "不知道牵头部门是哪个部门" if text else "没有写明牵头部门，这份清单由哪个部门牵头"
    return chosen, [resolver.question(LEAD_KEY, cell, text, reason, ())]


def _scenario(plan: Preview, actor: User) -> Scenario:
    """The scenario of this 主题, locked so that two imports take different version numbers."""
    if not plan.theme:
        raise DomainError(
            f"工作表“{plan.reading.sheet}”的表头上方没有主题或标题，请填写是哪一件事。",
            fields={THEME_KEY: "请填写主题"},
        )
    if len(plan.theme) > LONGEST_THEME:
        raise DomainError(
            f"主题超过 {LONGEST_THEME} 个字，请核对。", fields={THEME_KEY: f"不超过 {LONGEST_THEME} 个字"}
        )
    scenario, created = Scenario.objects.get_or_create(
        name=plan.theme, defaults={"lead_department": plan.lead}
    )
    if created:
        permissions.grant_editing(scenario, plan.lead)
    scenario = (
        Scenario.objects.select_for_update(of=["self"]).select_related("lead_department").get(pk=scenario.pk)
    )
    if scenario.lead_department != plan.lead:
        raise DomainError(
            f"“{plan.theme}”由{scenario.lead_department.short_name}牵头，不能导入为{plan.lead.short_name}牵头的清单。"
        )
    permissions.require_editing(actor, scenario)
    return scenario


def _save_rows(version: ScenarioVersion, plan: Preview) -> None:
    """The rows with their sectors, check items and penalty items, each table in a few statements."""
    reading = plan.reading
    implementing = [row for row in plan.rows if row.part == RowPart.IMPLEMENTING]
    listed = [row for row in implementing if row.body.kind != PenaltyBodyKind.NONE]

    def said(row: ResolvedRow, role: ColumnRole) -> str:
        return plain(reading.text(row.read, role))

    # Distinct, in the order of the rows: so does the library list them.
    sectors = _sectors(dict.fromkeys(filter(None, (said(row, ColumnRole.SECTOR) for row in plan.rows))))
    checks = _check_items(reading, implementing)
    penalties = _penalty_items(dict.fromkeys(said(row, ColumnRole.PENALTY) for row in listed))
    lines = {line: at for at, line in enumerate(dict.fromkeys(row.read.line for row in plan.rows))}
    MatrixRow.objects.bulk_create(
        MatrixRow(
            version=version,
            position=position,
            line=lines[row.read.line],
            part=row.part,
            cells=row.read.texts,
            inferred={str(column): source for column, source in row.read.inferred.items()},
            number=reading.text(row.read, ColumnRole.NUMBER),
            situation=reading.text(row.read, ColumnRole.SITUATION),
            sector_text=reading.text(row.read, ColumnRole.SECTOR),
            check_text=reading.text(row.read, ColumnRole.CHECK),
            check_department_text=reading.text(row.read, ColumnRole.CHECK_DEPARTMENT),
            penalty_text=reading.text(row.read, ColumnRole.PENALTY),
            penalty_department_text=reading.text(row.read, ColumnRole.PENALTY_DEPARTMENT),
            sampling_text=reading.text(row.read, ColumnRole.SAMPLING),
            sampling=parse_sampling(reading.text(row.read, ColumnRole.SAMPLING)),
            sector=sectors.get(said(row, ColumnRole.SECTOR)),
            check_item=checks.get((row.department.pk, said(row, ColumnRole.CHECK)))
            if row.part == RowPart.IMPLEMENTING
            else None,
            check_department=row.department,
            penalty_item=penalties.get(said(row, ColumnRole.PENALTY))
            if row.body.kind != PenaltyBodyKind.NONE
            else None,
            penalty_body=row.body.kind,
            penalty_department=row.body.department,
            delegation_list=row.body.delegation_list,
        )
        for position, row in enumerate(plan.rows)
    )


def _sectors(names: Collection[str]) -> dict[str, Sector]:
    Sector.objects.bulk_create((Sector(name=name) for name in names), ignore_conflicts=True)
    return {sector.name: sector for sector in Sector.objects.filter(name__in=names)}


def _check_items(reading: Reading, rows: Collection[ResolvedRow]) -> dict[tuple[int, str], CheckItem]:
    """The library's items; one that is new takes what the list says of it, an old one keeps its texts."""
    wanted: dict[tuple[int, str], CheckItem] = {}
    for row in rows:
        name = plain(reading.text(row.read, ColumnRole.CHECK))
        wanted.setdefault(
            (row.department.pk, name),
            CheckItem(
                department=row.department,
                name=name,
                basis=reading.text(row.read, ColumnRole.BASIS),
                method=reading.text(row.read, ColumnRole.METHOD),
                content=reading.text(row.read, ColumnRole.CONTENT),
            ),
        )
    CheckItem.objects.bulk_create(wanted.values(), ignore_conflicts=True)
    found = CheckItem.objects.filter(name__in={name for _, name in wanted})
    return {(item.department_id, item.name): item for item in found}


def _penalty_items(names: Collection[str]) -> dict[str, PenaltyItem]:
    PenaltyItem.objects.bulk_create((PenaltyItem(name=name) for name in names), ignore_conflicts=True)
    return {item.name: item for item in PenaltyItem.objects.filter(name__in=names)}
