from django.urls import include, path

from core.registers.pages import import_patterns
from departments.access import needs, polled
from departments.permissions import ACCOUNT_KEEPERS
from departments.services.roster import OFFICERS
from departments.views import accounts, departments, login, officers

app_name = "departments"

urlpatterns = [
    path("login/", login.Login.as_view(), name="login"),
    path("logout/", login.Logout.as_view(), name="logout"),
    path("password/", login.change_password, name="change_password"),
    path("departments/", departments.department_list, name="list"),
    path("departments/new/", departments.department_create, name="create"),
    path("departments/<slug:code>/", departments.department_detail, name="detail"),
    path("departments/<slug:code>/edit/", departments.department_edit, name="edit"),
    path("departments/<slug:code>/aliases/", departments.alias_add, name="alias_add"),
    path("departments/<slug:code>/aliases/<int:pk>/remove/", departments.alias_remove, name="alias_remove"),
    path("officers/", officers.officers, name="officers"),
    path("officers/export/", officers.officers_export, name="officers_export"),
    path(
        "officers/import/",
        include(
            import_patterns(
                OFFICERS,
                at="departments",
                home="departments:officers",
                access=needs(*ACCOUNT_KEEPERS),
                polled=polled,
            )
        ),
    ),
    path("officers/new/", officers.officer_create, name="officer_create"),
    path("officers/<int:pk>/", officers.officer, name="officer"),
    path("officers/<int:pk>/edit/", officers.officer_edit, name="officer_edit"),
    path("officers/<int:pk>/leave/", officers.officer_leave, name="officer_leave"),
    path("officers/<int:pk>/return/", officers.officer_return, name="officer_return"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/new/", accounts.account_create, name="account_create"),
    path("accounts/<int:pk>/", accounts.account_edit, name="account_edit"),
    path("accounts/<int:pk>/activate/", accounts.account_activate, name="account_activate"),
    path("accounts/<int:pk>/deactivate/", accounts.account_deactivate, name="account_deactivate"),
    path("accounts/<int:pk>/password/", accounts.account_reset, name="account_reset"),
    path("accounts/<int:pk>/posts/", accounts.post_give, name="post_give"),
    path("accounts/<int:pk>/posts/<int:post>/take/", accounts.post_take, name="post_take"),
    path("accounts/<int:pk>/certificate/", accounts.certify, name="certify"),
]
