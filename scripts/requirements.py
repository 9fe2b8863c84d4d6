"""Print the requirements that pyproject.toml states, for the groups named: build, runtime, or an extra.

Torch is left out: the Makefile installs it first, alone and pinned.
"""

import sys
import tomllib
from pathlib import Path


def main(groups: list[str]) -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    known = {
        "build": [*project["build-system"]["requires"], "cmake>=3.25", "ninja"],
        "runtime": project["project"]["dependencies"],
        **project["project"]["optional-dependencies"],
    }
    for group in groups:
        print("\n".join(r for r in known[group] if not r.startswith("torch>")))


if __name__ == "__main__":
    main(sys.argv[1:])
