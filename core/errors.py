"""Refusals a user can understand."""


class DomainError(Exception):
    """A rule of the field refuses what was asked; the message is a Chinese sentence for the user.

    Raised by services. Views show it beside the form; whatever is not caught becomes a 409 page or
    JSON body (core.middleware, core.api). `fields` maps a form field to its own message.
    """

    def __init__(self, message: str, *, fields: dict[str, str] | None = None, code: str = "refused"):
        super().__init__(message)
        self.message = message
        self.fields = fields or {}
        self.code = code

    def __str__(self) -> str:
        return self.message


class StaleError(DomainError):
    """Somebody else changed the row since the caller read it; nothing was written."""

    def __init__(self, message: str = "内容已被他人修改，请刷新后再试。"):
        super().__init__(message, code="stale")
