"""Two people in the same moment: what the first look did not see yet, the database refuses, and in a sentence."""

import pytest

from core.errors import DomainError
from departments import services
from departments.enums import Role
from departments.models import Officer, Post, User
from tests.factories.departments import make_department, make_officer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen just before a manager's method writes."""

    def arrange(manager, method, happens):
        write = getattr(manager, method)

        def late(*args, **given):
            monkeypatch.setattr(manager, method, write)
            happens()
            return write(*args, **given)

        monkeypatch.setattr(manager, method, late)

    return arrange


def test_a_username_taken_in_the_same_moment_is_refused_beside_its_field(meanwhile):
    bureau, admin = make_department(), make_user(None, Role.SYSTEM_ADMIN)
    meanwhile(User.objects, "create_user", lambda: User.objects.create(username="lisi", name="李四"))
    with pytest.raises(DomainError, match="已被使用") as refused:
        services.create_account(
            actor=admin, username="lisi", name="李思", role=Role.HANDLER, department=bureau
        )
    assert refused.value.fields == {"username": "此用户名已被使用"}


def test_a_certificate_recorded_in_the_same_moment_is_refused_beside_its_field(meanwhile):
    bureau, admin = make_department(), make_user(None, Role.SYSTEM_ADMIN)
    other, account = make_officer(bureau), make_user(bureau)
    values = {"certified_from": other.certified_from, "certified_until": other.certified_until}
    meanwhile(
        Officer.objects,
        "update_or_create",
        lambda: Officer.objects.filter(pk=other.pk).update(certificate_number="NEW1"),
    )
    with pytest.raises(DomainError, match="刚由他人登记") as refused:
        services.issue_certificate(
            account, actor=admin, department=bureau, certificate_number="NEW1", **values
        )
    assert refused.value.fields == {"certificate_number": "此证号已登记"}


def test_a_second_administrators_post_given_in_the_same_moment_is_refused(meanwhile):
    security, account = make_user(None, Role.SECURITY_ADMIN), make_user(make_department())
    meanwhile(Post.objects, "get_or_create", lambda: Post.objects.create(user=account, role=Role.AUDITOR))
    with pytest.raises(DomainError, match="须由不同的人担任") as refused:
        services.give_post(account, Role.SYSTEM_ADMIN, None, actor=security)
    assert refused.value.fields == {"role": "三种管理员须由不同的人担任"}
