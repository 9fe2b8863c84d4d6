"""``python -m pyamp.cli``."""

from pyamp.cli import main

main()
