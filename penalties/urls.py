from django.urls import path

app_name = "penalties"

urlpatterns: list[path] = []
