from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from portal import demo, demo_round


class Command(BaseCommand):
    help = "载入演示账号、机构名录、事项矩阵、赋权和一次已办的检查（须 PORTAL_DEMO=1）；已有的保持不变，可重复执行。"

    def handle(self, *args, **options):
        try:
            loaded = demo.load()
            played = demo_round.load()
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"新增演示账号 {loaded.accounts} 个、机构 {loaded.institutions} 家、"
            f"事项清单 {loaded.versions} 版、赋权 {loaded.delegations} 项。"
        )
        if played:
            self.stdout.write("已办完一次联合检查，另有一次正在勾选。")
