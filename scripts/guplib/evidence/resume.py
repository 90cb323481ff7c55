# SPDX-License-Identifier: GPL-2.0-only
"""What a long call has done so far, for one that takes it up where it was cut off."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..queue import stored
from ..system import files, schema
from ..system.errors import UsageError
from ..system.paths import Layout
from ..system.terminal import say


@dataclass
class Done:
    """The steps that were made with the stored files in one state, by name."""

    digest: str
    steps: dict[str, Any] = field(default_factory=dict)


class Log:
    """Keeps in a file what was done; a call that comes to its end removes it."""

    def __init__(self, layout: Layout, path: Path, resume: bool):
        self.path = path
        self.done = Done(stored.digest(layout))
        if resume:
            self._take_up()

    def _take_up(self) -> None:
        if not self.path.exists():
            say("nothing was cut off; beginning with the first step")
            return
        try:
            earlier = schema.fill(Done, schema.read_json(self.path, "it begins anew"),
                                  f"{self.path}")
        except UsageError as error:
            say(f"{error}; beginning with the first step")
            return
        if earlier.digest != self.done.digest:
            say("files of the queue have changed since; beginning with the first step")
            return
        self.done = earlier

    def get(self, name: str) -> Any:
        """What a step came to that was made before; None if it was not."""
        return self.done.steps.get(name)

    def put(self, name: str, outcome: Any) -> None:
        """Keep what a step came to."""
        self.done.steps[name] = outcome
        files.write(self.path, json.dumps(asdict(self.done)) + "\n")

    def close(self) -> None:
        """Forget it all: whoever comes next begins with the first step."""
        self.path.unlink(missing_ok=True)
