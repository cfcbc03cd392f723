"""The roof's own pages: desk, notifications, subjects, shared tabs, navigation, refusals."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from departments.enums import Role
from departments.models import Notification, User
from departments.services import notify_users
from portal import views
from portal.context_processors import MOST_ENTRIES, navigation
from tests.factories.departments import make_department, make_user
from tests.factories.institutions import make_institution
from tests.suspicious import SuspiciousClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(make_department("minzheng"))


@pytest.fixture
def client(client_as, user):
    return client_as(user)


def told(user: User, text: str = "请查看。", subject: str = "joint_inspection:7") -> Notification:
    notify_users([user], text, subject=subject)
    return user.notifications.first()


class TestDesk:
    def test_says_that_nothing_waits(self, client):
        assert "没有待办事项" in client.get("/").content.decode()

    def test_asks_a_stranger_to_log_in(self):
        response = SuspiciousClient().get("/")
        assert (response.status_code, response.url) == (302, "/login/?next=%2F")


class TestNotifications:
    def test_shows_the_accounts_own_only(self, client, user):
        told(user, "民政局的通知。")
        told(make_user(make_department("xiaofang")), "消防的通知。")
        page = client.get("/notifications/").content.decode()
        assert ("民政局的通知。" in page, "消防的通知。" in page) == (True, False)

    def test_unread_tab_hides_what_was_read(self, client, user):
        told(user, "读过的通知。")
        client.post("/notifications/read/")
        assert "读过的通知。" not in client.get("/notifications/?unread=1").content.decode()

    def test_one_is_marked_read(self, client, user):
        first, second = told(user), told(user)
        client.post(reverse("portal:notification_read", args=[first.pk]))
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.read_at is None, second.read_at is None) == (False, True)

    def test_anothers_cannot_be_marked(self, client):
        other = told(make_user(make_department("xiaofang")))
        assert client.post(reverse("portal:notification_read", args=[other.pk])).status_code == 404

    def test_marking_needs_a_post(self, client):
        assert client.get("/notifications/read/").status_code == 405

    @pytest.mark.parametrize("rows", [1, 3])
    def test_costs_the_same_for_one_and_three(self, client, user, rows, django_assert_num_queries):
        for _ in range(rows):
            told(user)
        with django_assert_num_queries(9):
            client.get("/notifications/")


class TestSubjects:
    def test_opening_one_leads_to_its_page_and_marks_its_news_read(self, client, user):
        notification = told(user)
        response = client.get(reverse("portal:open", args=["joint_inspection:7"]))
        notification.refresh_from_db()
        assert (response.status_code, response.url) == (302, "/inspections/7/")
        assert notification.read_at is not None

    @pytest.mark.parametrize(
        "subject", ["riddle:7", "joint_inspection", "joint_inspection:x", "institution:7"]
    )
    def test_a_key_without_a_page_is_not_found(self, client, subject):
        assert client.get(reverse("portal:open", args=[subject])).status_code == 404


class TestTabs:
    def test_register_and_dossier_of_an_institution_share_theirs(self, client):
        institution = make_institution()
        register = reverse("institutions:detail", args=[institution.key])
        dossier = reverse("archive:dossier", args=[institution.key])
        on_register, on_dossier = (client.get(path).context["page_tabs"] for path in (register, dossier))
        assert [(tab.label, tab.url, tab.active) for tab in on_register] == [
            ("登记信息", register, True),
            ("一户一档", dossier, False),
        ]
        assert [tab.active for tab in on_dossier] == [False, True]

    def test_a_page_of_no_group_has_none(self, client):
        assert client.get("/").context["page_tabs"] == []


class TestNavigation:
    @pytest.mark.parametrize("role", Role)
    def test_has_at_most_eight_entries(self, role, rf):
        is_global = role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR, Role.INSPECTORATE)
        request = rf.get("/")
        request.user = make_user(None if is_global else make_department("minzheng"), role)
        request.resolver_match = None
        entries = navigation(request)["navigation"]
        assert entries[0].label == "工作台"
        assert len(entries) <= MOST_ENTRIES

    def test_marks_where_one_is(self, client):
        entries = client.get("/institutions/").context["navigation"]
        assert [entry.label for entry in entries if entry.active] == ["机构名录"]

    def test_tells_tasks_and_findings_from_inspections(self, client):
        active = [
            [entry.label for entry in client.get(path).context["navigation"] if entry.active]
            for path in ("/inspections/", "/tasks/", "/findings/")
        ]
        assert active == [["联合检查"], ["检查任务"], ["问题整改"]]

    def test_those_who_keep_accounts_do_not_inspect(self, client_as):
        entries = client_as(make_user(None, Role.SYSTEM_ADMIN)).get("/").context["navigation"]
        assert [entry.label for entry in entries] == [
            "工作台",
            "机构名录",
            "事项矩阵",
            "结果归集",
            "账号与岗位",
        ]


class TestRefusals:
    def test_page_says_who_refused_and_why(self, client_as):
        response = client_as(make_user(make_department(), Role.OFFICER)).get("/accounts/")
        assert response.status_code == 403
        assert "您的岗位无权打开此页面。" in response.content.decode()

    def test_api_answers_in_json(self, client):
        response = client.get("/api/riddles/")
        assert (response.status_code, response.json()) == (404, {"detail": "找不到该内容。", "code": "404"})

    def test_api_refuses_in_json(self, rf):
        response = views.permission_denied(rf.get("/api/tasks/"), PermissionDenied("不行。"))
        assert (response.status_code, response.content.decode()) == (
            403,
            '{"detail": "\\u4e0d\\u884c\\u3002", "code": "403"}',
        )

    def test_breakdown_shows_a_page_that_needs_nothing(self, rf, django_assert_num_queries):
        with django_assert_num_queries(0):
            response = views.server_error(rf.get("/"))
        assert response.status_code == 500
        assert "系统出错" in response.content.decode()


def test_the_api_describes_itself(client):
    schema = client.get("/api/schema/").json()
    assert "/api/tasks/{task}/answers/{answer}" in schema["paths"]
