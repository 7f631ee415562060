"""``python -m semlang``, and the command ``semlang``."""

from __future__ import annotations


def main() -> None:
    """Run the command line; who stops it while it is being imported sees no traceback.

    Most of a short command is imports. Their objects stay, so that looking for garbage among them is time lost, and
    taking the interpreter down piece by piece frees what the system frees at once. What was to be done at the end is
    done: semaphores that processes share stay in the system else.
    """
    import atexit
    import gc
    import os
    import sys
    from contextlib import suppress

    gc.set_threshold(50_000, 20, 100)
    status: object = 0
    try:
        from semlang.cli import main as run

        run()
    except SystemExit as leaving:
        status = leaving.code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        status = 130
    with suppress(Exception, KeyboardInterrupt):  # the command has ended
        atexit._run_exitfuncs()
    if not sys.stderr.closed:
        sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 0)  # standard output was flushed, or could not be: `cli.main`


if __name__ == "__main__":
    main()
