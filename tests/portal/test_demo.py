"""The demo's data, as `make demo` loads it."""

from collections import Counter
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from archive.models import Disclosure
from core.errors import DomainError
from departments.enums import DepartmentKind, Role
from departments.models import Department, DepartmentAlias, Officer, Post, Sector, Town, User
from departments.services import find_department
from inspections.enums import ReferralRoute
from inspections.models import Finding, JointInspection, Referral
from institutions.models import Institution
from ledger.services import verify
from portal import demo, demo_round, reference
from scenarios.models import Delegation, ScenarioVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_demo(settings):
    settings.DEMO = True


class TestReference:
    @pytest.fixture(autouse=True)
    def loaded(self):
        reference.load()

    def test_brings_seven_bureaus_nineteen_towns_and_seven_sectors(self):
        counts = [
            Department.objects.filter(kind=kind).count()
            for kind in (DepartmentKind.BUREAU, DepartmentKind.TOWN)
        ]
        assert [*counts, Town.objects.count(), Sector.objects.count()] == [7, 19, 19, 7]

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("民政局", "minzheng"),
            ("市场监管局", "shichang"),
            ("市场监督管理局", "shichang"),
            ("消防部门", "xiaofang"),
            ("消防救援大队", "xiaofang"),
            ("生态环境局", "shengtai"),
            ("泉州市晋江生态环境局", "shengtai"),
            ("城管执法局", "chengguan"),
            ("人社局", "renshe"),
            ("自然资源局", "ziran"),
            ("英林镇人民政府", "zhen-yinglin"),
            ("青阳街道办事处", "zhen-qingyang"),
        ],
    )
    def test_knows_a_department_by_the_names_documents_use(self, name, code):
        assert find_department(name).code == code

    def test_loading_again_creates_nothing(self):
        assert reference.load() == {"sectors": 0, "bureaus": 0, "towns": 0, "aliases": 0}

    def test_loading_again_keeps_what_was_changed(self):
        Department.objects.filter(code="xiaofang").update(short_name="消防大队（新）")
        DepartmentAlias.objects.filter(alias="消防部门").delete()
        assert reference.load()["aliases"] == 1
        assert Department.objects.get(code="xiaofang").short_name == "消防大队（新）"


class TestCast:
    @pytest.fixture(autouse=True)
    def loaded(self, as_demo):
        reference.load()
        demo.load_cast()

    def test_has_an_account_for_every_part(self):
        posts = {
            role: Post.objects.filter(role=role).count() for role in Role if Post.objects.filter(role=role)
        }
        assert posts == {
            Role.HANDLER: 26,
            Role.HEAD: 7,
            Role.LEGAL_REVIEWER: 26,
            Role.OFFICER: 61,
            Role.SYSTEM_ADMIN: 1,
            Role.SECURITY_ADMIN: 1,
            Role.AUDITOR: 1,
            Role.INSPECTORATE: 1,
        }
        assert User.objects.count() == 80

    @pytest.mark.parametrize(
        "username",
        ["admin", "anquan", "minzheng", "xiaofang-fzr", "shichang-jc1", "fazhi", "ducha", "zhen-yinglin"],
    )
    def test_accounts_open_with_the_password_of_the_readme(self, username):
        assert User.objects.get(username=username).check_password("demo-Jinjiang-2024")

    def test_one_officer_of_six_has_an_expired_certificate(self):
        valid = Officer.objects.available_on(timezone.localdate()).filter(department__code="xiaofang")
        assert sorted(valid.values_list("user__username", flat=True)) == [
            f"xiaofang-jc{n}" for n in range(1, 6)
        ]

    def test_loading_again_keeps_a_changed_password(self):
        user = User.objects.get(username="ducha")
        user.set_password("Another-2024")
        user.save()
        assert demo.load_cast() == 0
        assert User.objects.get(username="ducha").check_password("Another-2024")


def test_everything_is_loaded_once(as_demo):
    assert demo.load() == demo.Loaded(accounts=80, institutions=60, versions=1, delegations=182)
    assert demo.load() == demo.Loaded(accounts=0, institutions=0, versions=0, delegations=0)
    assert Institution.objects.values("town").distinct().count() == 19
    version = ScenarioVersion.objects.get()
    assert (version.state, version.effective_from, version.rows.count()) == (
        "PUBLISHED",
        date(2024, 12, 2),
        28,
    )
    fire = Delegation.objects.in_force(date.today() + timedelta(days=1)).filter(delegation_list="FIRE")
    assert set(Town.objects.exclude(delegations__in=fire).values_list("name", flat=True)) == {
        "紫帽镇",
        "西滨镇",
        "内坑镇",
    }


def test_two_joint_inspections_are_played_once(as_demo):
    demo.load()
    assert demo_round.load()
    states = [(i.get_kind_display(), i.state) for i in JointInspection.objects.order_by("pk")]
    assert states == [("专项检查", "COMPLETED"), ("日常检查（双随机）", "TICKING")]
    assert Counter(Finding.objects.values_list("state", flat=True)) == {
        "REFERRED": 4,
        "RECTIFYING": 2,
        "RECTIFIED": 1,
        "CORRECTED": 1,
        "CLOSED": 1,
    }
    warned = Referral.objects.get(route=ReferralRoute.FALLBACK)
    assert (warned.institution.town.name, warned.to_department.code) == ("紫帽镇", "xiaofang")
    assert sorted(Disclosure.objects.values_list("institution__name", flat=True)) == [
        "晋江市崇德社会福利院",
        "晋江市陈埭鸿福养老院",
    ]
    assert list(verify()) == []
    assert not demo_round.load()


def test_production_refuses_accounts_with_a_public_password(settings):
    settings.DEMO = False
    with pytest.raises(DomainError, match="PORTAL_DEMO=1"):
        demo.load()
    with pytest.raises(CommandError, match="PORTAL_DEMO=1"):
        call_command("load_demo")
    assert User.objects.count() == 0


def test_the_console_lists_accounts_that_exist(as_demo):
    assert [name for name, _ in demo.accounts()][:5] == ["admin", "anquan", "ducha", "shenji", "minzheng"]
    assert settings.DEMO
