"""执法人员 as a workbook: its columns, how a row is found again, how rows are written.

The key is the 执法证号. A row may name an account by its 用户名: one that is no officer yet becomes one, and an
officer found that way gets the new number. A row without either opens an account (`free_username`) nobody can
log in to before its password is reset. Nobody is moved to another department, and no name changed, by the way.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q

from core.errors import DomainError
from core.models import ImportRun
from core.registers import Column, Existing, Findings, Register, Row, Values, day, many_of, one_of, text
from core.registers.judging import alike, require_same
from departments.enums import Event, Role
from departments.models import Department, Officer, Sector, User
from departments.permissions import ACCOUNT_KEEPERS, departments_administered_by, require_role
from departments.services.accounts import open_account
from departments.services.lookup import known_names
from departments.services.officers import issue_certificate
from departments.services.posts import key_of
from ledger import services as ledger

USERNAME = re.compile(r"[a-z0-9][a-z0-9_.-]{2,}")
ALL_SECTORS = ("无", "全部", "全部条线", "本部门全部条线")


class OfficerRegister(Register):
    name = "officers"
    title = "执法人员"
    unit = "名"
    key_fields = ("certificate_number", "username")
    read_task = "departments.tasks.read_officers"
    write_task = "departments.tasks.write_officers"

    def __init__(self, told: User | None = None):
        # Who may be told whose account a row is about; nobody, unless said.
        self.told = told

    def require(self, user: User) -> None:
        require_role(user, ACCOUNT_KEEPERS)

    def columns(self, actor: str) -> list[Column]:
        """With the departments this account may appoint officers in; its own certificate is for others to record."""
        user = _account(actor)
        own = Officer.objects.filter(user=user).first()
        departments = departments_administered_by(user)
        return _columns(
            departments, own_number=own.certificate_number if own else "", own_username=user.username
        )

    def key(self, values: Values) -> str:
        return values.get("certificate_number", "")

    def told_to(self, actor: str) -> "OfficerRegister":
        return OfficerRegister(_account(actor))

    def match(self, rows: Sequence[Values]) -> list[Existing | None]:
        """By 执法证号, else by 用户名; `seen` says whether the account may be named."""
        numbers = [row["certificate_number"] for row in rows if "certificate_number" in row]
        usernames = [row["username"] for row in rows if row.get("username")]
        officers = Officer.objects.select_related("user", "department").prefetch_related("sectors")
        by_number = {
            each.certificate_number: each for each in officers.filter(certificate_number__in=numbers)
        }
        by_username = {each.user.username: each for each in officers.filter(user__username__in=usernames)}
        accounts = {
            each.username: each
            for each in User.objects.filter(username__in=usernames, officer=None).prefetch_related(
                "posts__department"
            )
        }
        held = [each.user_id for each in (*by_number.values(), *by_username.values())]
        seen = self._seen([*held, *(each.pk for each in accounts.values())])
        found: list[Existing | None] = []
        for row in rows:
            number, username = row.get("certificate_number"), row.get("username")
            if officer := by_number.get(number):
                found.append(_known(officer, officer.user_id in seen))
            elif officer := by_username.get(username):
                is_seen = officer.user_id in seen
                remark = f"按用户名找到，原证号 {officer.certificate_number}" if is_seen else "按用户名找到"
                found.append(_known(officer, is_seen, {"certificate_number": remark}))
            elif account := accounts.get(username):
                found.append(_known_account(account, row.get("department", ""), account.pk in seen))
            else:
                found.append(None)
        return found

    def _seen(self, accounts: Iterable[int]) -> set[int]:
        if self.told is None:
            return set()
        visible = User.objects.visible_to(self.told).filter(pk__in=accounts)
        return set(visible.values_list("pk", flat=True))

    def check(self, values: Values, existing: Existing | None) -> Findings:
        found = Findings()
        first, last = values.get("certified_from"), values.get("certified_until")
        if first and last and last < first:
            found.errors["certified_until"] = "早于有效期自"
        if existing is None:
            return found
        said = existing.values
        if values.get("name") and values["name"] != said["name"]:
            registered = f"登记的是{said['name']}" if said["seen"] else "与登记的姓名不符"
            found.errors["name"] = f"{registered}，请核对；改名请在其账号页变更"
        if values.get("username") and values["username"] != said["username"]:
            holder = f"账号 {said['username']} " if said["seen"] else "另一账号"
            found.errors["username"] = f"此证号登记在{holder}名下"
        if values.get("department") and values["department"] != said["department"]:
            found.errors["department"] = (
                "此人登记在其他部门，调动请在其登记页变更" if said["department"] else "此账号在该部门没有岗位"
            )
        return found

    def check_together(self, run: ImportRun) -> Iterator[tuple[int, dict[str, str]]]:
        """Two new accounts cannot have one name."""
        for row, other in alike(run, "username"):
            yield row.line, {"username": f"与第{other}行的用户名重复"}

    def write(self, run: ImportRun, rows: Sequence[Row]) -> None:
        """Row by row through `issue_certificate`, which notes each on its account's chain; officers come in
        hundreds. What the actor may no longer do stops it like a row that changed."""
        actor = _account(run.actor)
        departments = {each.code: each for each in Department.objects.all()}
        _lock([row.values for row in rows])
        for row in rows:
            # One by one: a row before may have opened the account this one names.
            (known,) = self.match([row.values])
            require_same(self, row, known)
            department = departments[row.values["department"]]
            try:
                self._write(row.values, known, department, actor, {"import": str(run.pk)})
            except (DomainError, PermissionDenied) as refusal:
                raise DomainError(f"第{row.line}行没有写入：{refusal}") from refusal

    def finish(self, run: ImportRun) -> None:
        actor = _account(run.actor)
        payload = {
            "import": str(run.pk),
            "file": run.file.digest,
            "digest_algorithm": run.file.algorithm,
            "new": run.new,
            "changed": run.changed,
        } | ({"unwritten": run.unwritten} if run.unwritten else {})
        ledger.append(
            f"register:{self.name}",
            Event.OFFICERS_IMPORTED,
            payload,
            actor=actor.key,
            department=key_of(actor.own_department),
        )

    def _write(
        self,
        values: Values,
        known: Existing | None,
        department: Department,
        actor: User,
        noted: dict[str, str],
    ) -> None:
        if known:
            # An account that is no officer yet has no officer's key.
            user = User.objects.get(pk=-known.pk) if known.pk < 0 else Officer.objects.get(pk=known.pk).user
        else:
            user = open_account(
                actor=actor,
                username=values.get("username") or free_username(values["certificate_number"], department),
                name=values["name"],
                phone=values.get("phone", ""),
                role=Role.OFFICER,
                department=department,
                noted=noted,
            )
        sectors = values.get("sectors", None if known else [])
        issue_certificate(
            user,
            department=department,
            certificate_number=values["certificate_number"],
            certified_from=date.fromisoformat(values["certified_from"]),
            certified_until=date.fromisoformat(values["certified_until"]),
            sectors=None if sectors is None else Sector.objects.filter(pk__in=sectors),
            noted=noted,
            actor=actor,
        )


OFFICERS = OfficerRegister()


def export_columns() -> list[Column]:
    """Those of the import, with every department, and whether the officer is at work."""
    return [*_columns(Department.objects.all()), Column("duty", "在岗", text(20))]


def exported(officers: Iterable[Officer], day: date, *, actor: User) -> Iterator[Values]:
    """Officers as rows of a workbook; the import reads back all but the last column.

    Whose 执法证 it is everybody may know; 用户名 and 手机 stand there only for accounts the actor sees.
    """
    seen = set(User.objects.visible_to(actor).filter(officer__isnull=False).values_list("pk", flat=True))
    for officer in officers:
        away = officer.get_absence_display() if officer.is_away_on(day) else "在岗"
        is_seen = officer.user_id in seen
        yield _values(officer) | {
            "username": officer.user.username if is_seen else "",
            "phone": officer.user.phone if is_seen else "",
            "duty": away if officer.user.is_active else "账号已停用",
        }


def free_username(certificate_number: str, department: Department) -> str:
    """The 执法证号 in lower case, as far as it is Latin; with the department's code before, and a number behind,
    where that is too short or taken."""
    plain = re.sub(r"[^a-z0-9_.-]", "", certificate_number.lower()).lstrip("_.-")
    wanted = plain if len(plain) >= 3 else f"{department.code}-{plain}".rstrip("-")
    taken = set(User.objects.filter(username__istartswith=wanted).values_list("username", flat=True))
    taken = {username.lower() for username in taken}
    number, free = 1, wanted
    while free in taken or not USERNAME.fullmatch(free):
        number += 1
        free = f"{wanted}-{number}"
    return free


def _columns(
    departments: Iterable[Department], *, own_number: str = "", own_username: str = ""
) -> list[Column]:
    labels = {each.code: each.short_name for each in departments}
    others = {name: each.code for name, each in known_names().items() if each.code in labels}
    return [
        Column(
            "certificate_number",
            "执法证号",
            text(32, check=_unless(own_number, "是您本人的执法证，须由他人登记")),
            aliases=("证号", "执法证编号", "执法证件号码", "证件编号"),
            required=True,
            example="350582001001",
            width=20,
        ),
        Column("name", "姓名", text(64), required=True, example="洪建明"),
        Column(
            "department",
            "部门",
            one_of(labels, aliases=others),
            aliases=("执法部门", "所属部门", "单位", "工作单位", "所在单位"),
            required=True,
            example=next(iter(labels.values()), ""),
        ),
        Column("certified_from", "有效期自", day(), aliases=("发证日期", "有效期起"), required=True),
        Column("certified_until", "有效期至", day(), aliases=("有效期止", "到期日期"), required=True),
        Column(
            "sectors",
            "可检查条线",
            many_of({sector.pk: sector.name for sector in Sector.objects.all()}, nothing=ALL_SECTORS),
            aliases=("条线", "执法领域"),
            note="空白的新登记人员可检查本部门全部条线；更新时填“全部”即不再限定。",
            width=24,
        ),
        Column(
            "username",
            "用户名",
            text(64, check=_username(own_username)),
            aliases=("账号", "登录名"),
            note="已有账号的填其用户名；没有账号的可不填，按执法证号生成，由管理员重置密码后启用。",
        ),
        Column("phone", "手机", text(32), aliases=("电话", "联系电话", "手机号"), note="只用于新建的账号。"),
    ]


def _values(officer: Officer) -> Values:
    return {
        "certificate_number": officer.certificate_number,
        "name": officer.user.name,
        "department": officer.department.code,
        "certified_from": officer.certified_from.isoformat(),
        "certified_until": officer.certified_until.isoformat(),
        "sectors": [sector.pk for sector in officer.sectors.all()],
        "username": officer.user.username,
    }


def _known(officer: Officer, seen: bool, remarks: dict[str, str] | None = None) -> Existing:
    return Existing(officer.pk, _values(officer) | {"seen": seen}, remarks or {})


def _known_account(account: User, department: str, seen: bool) -> Existing:
    """An account without a certificate, by a key no officer has; its department is the row's if it serves there."""
    serves = {post.department.code for post in account.posts.all() if post.department}
    said = {
        "certificate_number": None,
        "name": account.name,
        "department": department if department in serves else "",
        "username": account.username,
        "seen": seen,
    }
    return Existing(-account.pk, said, {"username": "为已有账号登记执法证"})


def _lock(rows: Sequence[Values]) -> None:
    """The officers these rows are about, so that what is compared is what is changed."""
    numbers = [row["certificate_number"] for row in rows]
    usernames = [row["username"] for row in rows if row.get("username")]
    officers = Officer.objects.filter(Q(certificate_number__in=numbers) | Q(user__username__in=usernames))
    list(officers.select_for_update(of=("self",)).order_by("pk"))


def _account(key: str) -> User:
    return User.objects.get(pk=key.removeprefix("user:"))


def _unless(own: str, reason: str) -> Any:
    def check(said: str) -> str:
        if own and said == own:
            raise ValueError(reason)
        return said

    return check


def _username(own: str) -> Any:
    def check(said: str) -> str:
        if said == own:
            raise ValueError("是您本人的账号，须由他人登记")
        if not USERNAME.fullmatch(said):
            raise ValueError("至少3位，用小写字母、数字和“-”“_”“.”，以字母或数字开头")
        return said

    return check
