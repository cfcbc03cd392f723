import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from inspections.draws.publication import DocumentError, verify


class Command(BaseCommand):
    help = "按公布的 JSON 重新抽取一遍并比对；任何一项不一致即报出，退出码 1。不读数据库。"
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="从公示页面下载的抽取结果文件")

    def handle(self, *args, file, **options):
        try:
            checks = verify(json.loads(file.read_bytes()))
        except OSError:
            raise CommandError(f"读不到文件 {file}。")
        except ValueError as error:
            if isinstance(error, DocumentError):
                raise CommandError(str(error))
            raise CommandError(f"{file} 不是 JSON 文件。")
        for check in checks:
            self.stdout.write(f"{'一致' if check.agrees else '不一致'}  {check.what}：{check.found}")
        wrong = [check.what for check in checks if not check.agrees]
        if wrong:
            raise CommandError(f"核验不通过：{'、'.join(wrong)}与公布的不一致。")
        self.stdout.write("核验通过：重新计算的各项与公布的完全一致。")
