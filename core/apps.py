from django.apps import AppConfig

from core import wording


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "基础"

    def ready(self) -> None:
        wording.teach()
