"""From a printed matrix to a draft version.

`headings` finds the header and what each column says, `reading` turns the rows below into lines,
`inferring` decides or asks what blank cells mean, `resolving` which departments are meant, `saving`
makes the draft. Nothing is guessed in silence: what is open is a `problems.Problem`.
"""

from scenarios.services.importing.saving import (
    LEAD_KEY,
    LONGEST_THEME,
    THEME_KEY,
    Columns,
    DuplicateError,
    Preview,
    chosen_header,
    import_matrix,
    import_workbook,
    imported_as,
    preview,
    remember,
    require_importing,
)

__all__ = [
    "LEAD_KEY",
    "LONGEST_THEME",
    "THEME_KEY",
    "Columns",
    "DuplicateError",
    "Preview",
    "chosen_header",
    "import_matrix",
    "import_workbook",
    "imported_as",
    "preview",
    "remember",
    "require_importing",
]
