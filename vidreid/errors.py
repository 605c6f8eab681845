"""The only exceptions that reach a user: one line, a hint, an exit status."""


class VidreidError(Exception):
    """What went wrong in one line, and the action that mends it.

    ``message`` names the camera or file first (``c3: ch3.dav: no known video format``);
    ``hint`` is an action, a command to paste where possible, or empty.
    """

    exit_status = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["VidreidError"], tuple[str, str]]:
        # Exceptions pickle by their args; workers send errors with the hint.
        return type(self), (self.message, self.hint)


class UsageError(VidreidError):
    """A command line that cannot mean anything."""

    exit_status = 2


class InputError(VidreidError):
    """Footage, settings or a folder that cannot be used as it is."""


class StorageError(InputError):
    """A disk that is full or cannot be written; ends the whole run, since no other work could be kept either."""


class MissingError(VidreidError):
    """A network, runtime or engine that is not on this machine."""

    exit_status = 5


class StoppedError(VidreidError):
    """The user interrupted; everything finished so far is kept."""

    exit_status = 130
