import pytest

from departments import services
from departments.enums import Role
from portal import events
from tests.factories.departments import make_department, make_user


@pytest.mark.django_db
def test_an_auditor_reads_what_happened_to_a_department_in_words():
    keeper = make_user(None, Role.SYSTEM_ADMIN)
    department = make_department("minzheng")
    services.change_department(
        department, actor=keeper, agency_code="晋民", contact_name="王文", contact_phone=""
    )
    newest = events.recent(make_user(None, Role.AUDITOR))[0]
    assert (newest.title, newest.body, newest.url) == (
        "变更部门信息",
        department.name,
        "/departments/minzheng/",
    )
