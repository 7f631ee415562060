"""``python -m semlang``, and the command ``semlang``."""

from __future__ import annotations


def main() -> None:
    """Run the command line; who stops it while it is being imported sees no traceback."""
    import sys

    try:
        from semlang.cli import main as run

        run()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
