"""Errors that a user can act on."""


class PyampError(Exception):
    """Bad input or a failed run.

    The message is one line: the file or argument, what was found, what was expected, and what to do. The command
    line prints it and exits with code 2.
    """
