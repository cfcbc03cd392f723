from django.core.management.base import BaseCommand

from ledger import services


class Command(BaseCommand):
    help = "把全部留痕链的链头固定为一个摘要，可对外公布，日后整链改写即可发现。"

    def handle(self, *args, **options):
        taken = services.checkpoint()
        self.stdout.write(f"{taken.at.isoformat()} {taken.algorithm} {taken.digest}")
