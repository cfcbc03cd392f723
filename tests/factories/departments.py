from datetime import date, timedelta
from itertools import count

from departments import services
from departments.enums import Role
from departments.models import Department, Officer, Town, User

_numbers = count(1)

BUREAUS = {
    "minzheng": ("晋江市民政局", "市民政局"),
    "renshe": ("晋江市人力资源和社会保障局", "市人社局"),
    "ziran": ("晋江市自然资源局", "市自然资源局"),
    "shichang": ("晋江市市场监督管理局", "市市场监管局"),
    "chengguan": ("晋江市城市管理和综合执法局", "市城管执法局"),
    "shengtai": ("泉州市晋江生态环境局", "晋江生态环境局"),
    "xiaofang": ("晋江市消防救援大队", "市消防救援大队"),
}


def make_town(name: str = "英林镇", code: str | None = None) -> Town:
    return Town.objects.get_or_create(name=name, defaults={"code": code or f"3505821{next(_numbers):02d}"})[0]


def make_department(code: str = "minzheng", town: Town | None = None) -> Department:
    """A bureau by its code (BUREAUS names the seven), or the department of a town."""
    existing = Department.objects.filter(code=code).first()
    if existing:
        return existing
    name, short_name = (town.name + "人民政府", town.name) if town else BUREAUS.get(code, (f"{code}局", code))
    return services.create_department(
        code=code,
        name=name,
        short_name=short_name,
        town=town,
        order=next(_numbers),
        contact_name="王联系",
    )


def make_user(
    department: Department | None = None, *roles: Role, username: str | None = None, name: str = "陈测试"
) -> User:
    """An account with these posts (经办 when none is named), password `Test-passw0rd`."""
    user = User.objects.create_user(username or f"user{next(_numbers)}", "Test-passw0rd", name=name)
    for role in roles or (Role.HANDLER,):
        services.appoint(user, role, department)
    return user


def make_officer(department: Department, *, valid_days: int = 365, **user_fields) -> Officer:
    """A certified officer of the department; negative `valid_days` makes the certificate expired."""
    user = make_user(department, Role.OFFICER, **user_fields)
    return services.certify(
        user,
        department,
        certificate_number=f"C{next(_numbers):08d}",
        certified_from=date.today() - timedelta(days=1000),
        certified_until=date.today() + timedelta(days=valid_days),
    )
