"""`make demo`: the whole portal with demo data, in the foreground until Ctrl-C."""

import os

from django.core.management.base import BaseCommand, CommandError

from portal.demo import PASSWORD, accounts
from portal.embedded import EmbeddedError
from portal.supervisor import Supervisor


def welcome(address: str) -> str:
    rows = accounts()
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {who}" for name, who in rows]
    return "\n".join(
        [
            "",
            f"门户已就绪：{address}",
            "",
            f"演示账号（密码均为 {PASSWORD}）：",
            *lines,
            "",
            "按 Ctrl-C 停止。",
        ]
    )


class Command(BaseCommand):
    help = "启动带演示数据的完整门户（内置 PostgreSQL、Redis、网站、后台任务、定时任务），按 Ctrl-C 停止。"
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--reset", action="store_true", help="先清除原有的演示数据")

    def handle(self, *args, reset, **options):
        try:
            port = int(os.environ.get("PORT") or 8000)
            if not 0 < port < 65536:
                raise ValueError
        except ValueError:
            raise CommandError(
                f"PORT 应为 1 到 65535 之间的整数，收到的是 {os.environ['PORT']!r}。"
            ) from None
        host = os.environ.get("HOST") or "127.0.0.1"
        try:
            Supervisor(host, port, self.announce, welcome, reset=reset).run()
        except EmbeddedError as error:
            raise CommandError(str(error)) from error

    def announce(self, message: str) -> None:
        self.stdout.write(message)
        self.stdout.flush()
