from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.errors import DomainError
from departments.enums import Role
from departments.models import Department, User
from departments.services import find_department
from scenarios.models import ScenarioVersion
from scenarios.services.importing import LEAD_KEY, import_workbook
from scenarios.services.importing.problems import DEPARTMENT, LEAVE_OUT, UnresolvedError
from scenarios.services.library import counts
from scenarios.services.versions import publish


class Command(BaseCommand):
    help = "从工作簿（.xlsx、.xls、.csv）导入事项清单为草稿版本；有无法确定之处时逐条列出，不保存任何内容。"

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--actor", metavar="USERNAME", help="以哪个账号导入；默认最早的系统管理员")
        parser.add_argument("--lead", metavar="CODE", help="牵头部门代号，清单没有写明时使用")
        parser.add_argument(
            "--leave-out", action="append", default=[], metavar="KEY", help="不导入的行，可重复"
        )
        parser.add_argument(
            "--answer", action="append", default=[], metavar="KEY=WORD", help="对一处问题的回答，可重复"
        )
        parser.add_argument("--again", action="store_true", help="同一文件已导入过时仍再次导入")
        parser.add_argument("--publish", action="store_true", help="导入后立即发布")

    def handle(self, *args, file: Path, **options):
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandError(f"无法读取文件 {file}：{error.strerror}。") from error
        actor = self._actor(options["actor"])
        try:
            with transaction.atomic():
                version = import_workbook(
                    data,
                    name=file.name,
                    actor=actor,
                    answers=self._answers(options),
                    again=options["again"],
                )
                if options["publish"]:
                    version = publish(version, actor=actor)
        except UnresolvedError as error:
            for problem in error.problems:
                words = "、".join(choice.value for choice in problem.choices)
                self.stderr.write(f"{problem}（{problem.key}{f'：{words}' if words else ''}）")
            raise CommandError(f"有 {len(error.problems)} 处无法确定，未保存任何内容。") from error
        except (DomainError, PermissionDenied) as error:
            raise CommandError(str(error)) from error
        self._report(version)

    def _report(self, version: ScenarioVersion) -> None:
        counted = counts(version)
        self.stdout.write(
            f"{version}（{version.get_state_display()}）：{counted.rows} 行，{counted.situations} 个情形，"
            f"{counted.sectors} 个条线，{counted.check_items} 项检查事项，{counted.penalty_items} 项处罚事项。"
        )

    def _actor(self, username: str | None) -> User:
        if username:
            actor = User.objects.filter(username=username, is_active=True).first()
        else:
            admins = User.objects.filter(posts__role=Role.SYSTEM_ADMIN, is_active=True)
            actor = admins.order_by("pk").first()
        if actor is None:
            raise CommandError(
                f"没有账号 {username}。" if username else "还没有系统管理员，请用 --actor 指定账号。"
            )
        return actor

    def _answers(self, options: dict) -> dict[str, str]:
        """What was said of the questions, each a word of scenarios/services/problems.py."""
        answers = dict.fromkeys(options["leave_out"], LEAVE_OUT)
        for given in options["answer"]:
            key, equals, word = given.rpartition("=")
            if not equals:
                raise CommandError(f"--answer 应写作 KEY=WORD，现为 {given}。")
            answers[key] = word
        if options["lead"]:
            lead = find_department(options["lead"]) or Department.objects.filter(code=options["lead"]).first()
            if lead is None:
                raise CommandError(f"没有代号或名称为 {options['lead']} 的部门。")
            answers[LEAD_KEY] = f"{DEPARTMENT}{lead.code}"
        return answers
