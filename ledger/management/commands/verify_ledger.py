from django.core.management.base import BaseCommand, CommandError

from ledger import services
from ledger.models import Chain, Entry


class Command(BaseCommand):
    help = "逐条核验全部留痕链；有一条被改动即报出链名、序号和原因，退出码 1。"

    def add_arguments(self, parser):
        parser.add_argument("--subject", help="只核验一条链，例如 institution:…")

    def handle(self, *args, subject=None, **options):
        if subject and not Chain.objects.filter(subject=subject).exists():
            raise CommandError(f"没有名为 {subject} 的留痕链。")
        breaks = list(services.verify(subject))
        for broken in breaks:
            self.stderr.write(f"{broken.subject} 第 {broken.seq} 条：{broken.reason}")
        if breaks:
            first = breaks[0]
            raise CommandError(f"共 {len(breaks)} 处核验不通过，首处为 {first.subject} 第 {first.seq} 条。")
        chains = Chain.objects.filter(subject=subject) if subject else Chain.objects.all()
        entries = Entry.objects.filter(chain__in=chains).count()
        self.stdout.write(f"核验通过：{chains.count()} 条链，{entries} 条留痕。")
