# One way in: `make demo` runs the portal, `make test` proves it. Both work from a fresh clone on Debian 12.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python manage.py
PYTEST := $(BIN)/python -m pytest
# Tests and checks have a cluster of their own, so they never touch the demo's data.
TEST_ENV := PORTAL_VAR=$(CURDIR)/var/test PORTAL_DURABLE=0
UNIT_JOBS ?= 2
SUDO := $(if $(filter 0,$(shell id -u)),,sudo -n)

.PHONY: help demo demo-reset test check unit browser bench soak fmt browser-tools

help: ## 列出可用的目标
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/.stamp ## 启动带演示数据的门户（PORT、HOST 可改），Ctrl-C 停止
	@PORTAL_DEMO=1 exec $(RUN) demo

demo-reset: .venv/.stamp ## 清除演示数据，重新开始
	@PORTAL_DEMO=1 exec $(RUN) demo --reset

test: check unit browser ## 全部检查与测试

check: .venv/.stamp ## 代码规范、分层约束、模板、迁移
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/djlint templates --check --quiet
	$(TEST_ENV) $(RUN) makemigrations --check --dry-run
	$(TEST_ENV) BEHIND_TLS=1 $(RUN) check --deploy --fail-level WARNING --settings tests.settings

unit: .venv/.stamp ## 单元测试
	$(PYTEST) -n $(UNIT_JOBS) --dist loadfile --ignore tests/browser --ignore tests/bench -m "not soak"

browser: .venv/.stamp browser-tools ## 浏览器测试
	$(PYTEST) tests/browser -m "not soak"

bench: .venv/.stamp ## 性能对比，只打印同一次运行内的比值
	$(PYTEST) tests/bench -s

soak: .venv/.stamp browser-tools ## 耗时的故障与随机测试
	$(PYTEST) -m soak

fmt: .venv/.stamp ## 自动整理代码与模板
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat --quiet

# The locked packages. Debian has no uv and refuses a system pip, so uv goes into the environment itself.
.venv/.stamp: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo '需要 Python 3.11 或更高版本。'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends python3-venv; } \
		|| { echo '缺少 python3-venv。请由管理员运行：apt-get install python3-venv'; exit 1; }
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/pip install -q --disable-pip-version-check uv; }
	$(BIN)/uv sync --frozen --compile-bytecode --quiet
	@touch $@

browser-tools:
	@missing=""; \
	command -v chromium >/dev/null || missing="chromium"; \
	ls /usr/share/fonts/opentype/noto/*CJK* >/dev/null 2>&1 || missing="$$missing fonts-noto-cjk"; \
	test -z "$$missing" \
		|| { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends $$missing; } \
		|| { echo "浏览器测试缺少：$$missing。请由管理员运行：apt-get install$$missing"; exit 1; }
