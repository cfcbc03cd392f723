from django.core.management.base import BaseCommand

from portal import reference


class Command(BaseCommand):
    help = "载入条线、部门与镇街；已有的保持不变，可重复执行。"

    def handle(self, *args, **options):
        created = reference.load()
        self.stdout.write(
            f"新增条线 {created['sectors']} 个、部门 {created['bureaus']} 个、"
            f"镇街 {created['towns']} 个、别名 {created['aliases']} 个。"
        )
