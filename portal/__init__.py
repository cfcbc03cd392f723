"""The roof: settings, urls, Celery, embedded services, the desk and the demo."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
