from django.urls import path

from departments import views

app_name = "departments"

urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", views.Logout.as_view(), name="logout"),
    path("password/", views.change_password, name="change_password"),
    path("departments/", views.department_list, name="list"),
    path("departments/<slug:code>/", views.department_detail, name="detail"),
    path("departments/<slug:code>/edit/", views.department_edit, name="edit"),
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/new/", views.account_create, name="account_create"),
    path("accounts/<int:pk>/", views.account_edit, name="account_edit"),
    path("accounts/<int:pk>/activate/", views.account_activate, name="account_activate"),
    path("accounts/<int:pk>/deactivate/", views.account_deactivate, name="account_deactivate"),
    path("accounts/<int:pk>/password/", views.account_reset, name="account_reset"),
    path("accounts/<int:pk>/posts/", views.post_give, name="post_give"),
    path("accounts/<int:pk>/posts/<int:post>/take/", views.post_take, name="post_take"),
    path("accounts/<int:pk>/certificate/", views.certify, name="certify"),
]
