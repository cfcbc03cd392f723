"""A version on paper and in Excel, as the attachment has it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.files import workbook_response
from departments.access import needs
from scenarios.services.exporting import export_version
from scenarios.services.printing import print_pages
from scenarios.views.matrices import READERS, get_version


@needs(*READERS)
@require_GET
def version_print(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_version(request, pk)
    context = {"version": shown, "scenario": shown.scenario, "paper": print_pages(shown)}
    return render(request, "scenarios/print.html", context)


@needs(*READERS)
@require_GET
def version_export(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_version(request, pk)
    return workbook_response(export_version(shown), f"{shown}.xlsx")
