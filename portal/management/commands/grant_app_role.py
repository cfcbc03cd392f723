"""Rights of the database role that the running portal uses in production.

Migrations run as the owner of the tables; the portal runs as a role that owns nothing, so not even a
stolen connection can switch off the ledger's triggers.
"""

import os

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg import sql

# Everything in the ledger is SELECT and INSERT, except what appending itself must touch: a chain's head moves
# forward, and locking the last checkpoint takes the right to update one column. Triggers refuse the rest.
LEDGER_UPDATES = {"ledger_chain": ["head_seq", "head_digest"], "ledger_checkpoint": ["id"]}
READ_ONLY = {"django_migrations"}


class Command(BaseCommand):
    help = "为应用运行账号授予数据库权限（可重复执行）：业务表可增删改查，留痕表只可查询和追加。"

    def add_arguments(self, parser):
        parser.add_argument("role", nargs="?", default=os.environ.get("APP_DB_ROLE", ""), help="应用运行账号")

    def handle(self, *args, role, **options):
        if not role:
            raise CommandError("请给出应用运行账号：grant_app_role 账号，或设置 APP_DB_ROLE。")
        with transaction.atomic(), connection.cursor() as cursor:
            self.cursor, self.role = cursor, role
            self._make_role(os.environ.get("APP_DB_PASSWORD", ""))
            self._refuse_power()
            self._grant()
        self.stdout.write(f"账号 {role} 的权限已更新。")

    def _run(self, statement: str, **names) -> None:
        parts = {key: sql.Identifier(value) for key, value in (names | {"role": self.role}).items()}
        self.cursor.execute(sql.SQL(statement).format(**parts))

    def _row(self, query: str, *params) -> tuple | None:
        self.cursor.execute(query, params)
        return self.cursor.fetchone()

    def _make_role(self, password: str) -> None:
        exists = self._row("SELECT 1 FROM pg_roles WHERE rolname = %s", self.role)
        if not exists and not password:
            raise CommandError(
                f"数据库中没有账号 {self.role}。请先创建，或设置 APP_DB_PASSWORD 由本命令创建。"
            )
        if not exists:
            self._run("CREATE ROLE {role} LOGIN")
        if password:
            secret = sql.Literal(password)
            self.cursor.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(self.role), secret)
            )

    def _refuse_power(self) -> None:
        powers = "rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication"
        if self._row(f"SELECT 1 FROM pg_roles WHERE rolname = %s AND ({powers})", self.role):  # noqa: S608 - constants
            raise CommandError(f"账号 {self.role} 拥有管理权限，不能作为应用运行账号。")
        owned = self._row("SELECT tablename FROM pg_tables WHERE tableowner = %s LIMIT 1", self.role)
        if owned:
            raise CommandError(f"账号 {self.role} 是表 {owned[0]} 的所有者，不能作为应用运行账号。")

    def _grant(self) -> None:
        database = connection.settings_dict["NAME"]
        self._run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        self._run("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
        self._run("GRANT CONNECT ON DATABASE {database} TO {role}", database=database)
        self._run("GRANT USAGE ON SCHEMA public TO {role}")
        self._run("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
        self.cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in self.cursor.fetchall():
            if table in READ_ONLY:
                self._run("GRANT SELECT ON {table} TO {role}", table=table)
            elif table.startswith("ledger_"):
                self._run("GRANT SELECT, INSERT ON {table} TO {role}", table=table)
            else:
                self._run("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}", table=table)
        for table, columns in LEDGER_UPDATES.items():
            for column in columns:
                self._run("GRANT UPDATE ({column}) ON {table} TO {role}", table=table, column=column)
