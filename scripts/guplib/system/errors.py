# SPDX-License-Identifier: GPL-2.0-only
"""What can go wrong, by the exit code it leads to."""


class GupError(Exception):
    """One line that says what is wrong, where, and what to do."""

    exit_code = 3


class TestsFailed(GupError):
    """The queue was tried and did not pass."""

    exit_code = 1


class UsageError(GupError):
    """The call or the stored files are wrong; a person has to change them."""

    exit_code = 2


class EnvironmentFault(GupError):
    """The machine lacks something: a program, a package, space, a mirror."""

    exit_code = 3
