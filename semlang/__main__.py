"""``python -m semlang`` is the command ``semlang``."""

from semlang.cli import main

main()
