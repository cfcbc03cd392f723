from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from portal import demo, reference


class Command(BaseCommand):
    help = "载入演示账号与演示数据（须 PORTAL_DEMO=1）；可重复执行。"

    def handle(self, *args, **options):
        try:
            demo.require_demo()
            reference.load()
            created = demo.load_cast()
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"新增演示账号 {created} 个。")
