"""What the studio refuses, each with one sentence that says why and what to do."""

from regraft.core import InputError


class RefusedError(InputError):
    """A request that cannot be served as it is.

    Attributes:
        status: The HTTP status that says so.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class RefusedUploadError(RefusedError):
    """An upload that is not taken."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message, status)
