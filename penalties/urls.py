from django.urls import path

from penalties.views import cases, referrals

app_name = "penalties"

urlpatterns = [
    path("", referrals.referral_list, name="list"),
    path("referrals/<int:pk>/", referrals.referral, name="referral"),
    path("referrals/<int:pk>/take-up/", referrals.take_up, name="take_up"),
    path("referrals/<int:pk>/return/", referrals.return_, name="return"),
    path("referrals/<int:pk>/file/", referrals.file, name="file"),
    path("cases/<int:pk>/", cases.case, name="case"),
    path("cases/<int:pk>/draft/", cases.draft, name="draft"),
    path("cases/<int:pk>/request-review/", cases.request_review, name="request_review"),
    path("cases/<int:pk>/review/", cases.review, name="review"),
    path("cases/<int:pk>/decide/", cases.decide, name="decide"),
    path("cases/<int:pk>/serve/", cases.serve, name="serve"),
    path("cases/<int:pk>/pay/", cases.pay, name="pay"),
    path("cases/<int:pk>/close/", cases.close, name="close"),
]
