"""`{% load components %}`: every part of a page. docs/components.md shows how to use each one.

Markup lives in templates/components/; the Python here only works out what a template cannot.
"""

from django import template

from core.templatetags import blocks, entry, lists, words

register = template.Library()
for part in (words, blocks, lists, entry):
    register.tags.update(part.register.tags)
    register.filters.update(part.register.filters)
