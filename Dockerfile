# One image for web, worker, beat and migrations; the command decides which.
FROM python:3.12-slim-bookworm AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/venv UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN pip install --no-cache-dir uv
WORKDIR /app
COPY pyproject.toml uv.lock ./
# No embedded engines and no test tools in production.
RUN uv sync --frozen --no-default-groups
COPY . .
# Assets need no services; these values only let the settings load.
RUN SECRET_KEY=build DATABASE_URL=postgres://build@build/build REDIS_URL=redis://build STATIC_ROOT=/app/staticfiles \
    /opt/venv/bin/python manage.py collectstatic --noinput

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app portal && install -d -o portal -g portal /data/files
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER portal
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PORTAL_VAR=/data STATIC_ROOT=/app/staticfiles MEDIA_ROOT=/data/files
EXPOSE 8000
# Keep workers × threads below the database's max_connections.
CMD ["granian", "--interface", "wsgi", "portal.wsgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "32", "--respawn-failed-workers", "--no-ws"]
