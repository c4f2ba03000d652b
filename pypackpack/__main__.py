"""``python -m pypackpack`` and the scripts ``pypackpack`` and ``ppp``.

The shortest answers (version, top-level help) are given before anything else is imported: a person asks for them
while thinking, and a shell prompt asks for them all the time. So nothing is imported here that Python did not load by itself.
"""

import sys

VERSION_WORDS = ("--version", "version", "-v", "-V")
HELP_WORDS = ("--help", "help", "-h")


def main() -> int:
    """Run the command line of this process and return its exit code."""
    try:
        return _answer(sys.argv[1:])
    except KeyboardInterrupt:  # before anything of ours listens to signals
        eval("0")  # noqa: S307 - a constant; frontend/cli/main.forget_interrupt says why
        sys.stderr.write("error[interrupted]: interrupted; nothing is left half done\n")
        return 130


def _answer(words: "list[str]") -> int:
    if len(words) == 1 and words[0] in VERSION_WORDS:
        from pypackpack.frontend.cli.version import show_version  # noqa: PLC0415 - the fast path loads only what it prints

        return show_version()
    if not words or (len(words) == 1 and words[0] in HELP_WORDS):
        from pypackpack.frontend.cli.overview import show_overview  # noqa: PLC0415 - the fast path loads only what it prints

        return show_overview()
    if words[0] == "__complete":
        from pypackpack.frontend.cli.complete import complete  # noqa: PLC0415 - as above

        return complete(words[1:])
    if "run" in words:
        from pypackpack.frontend.cli.quick_run import quick_run, run_words  # noqa: PLC0415 - as above

        run_call = run_words(words)
        if run_call is not None:
            code = quick_run(run_call)
            if code is not None:
                return code
            words = run_call.whole()
    settled = _nothing_to_do(words)
    return settled if settled is not None else _whole(words)


def _nothing_to_do(words: "list[str]") -> "int | None":
    """Answer a call that has nothing to do, as far as that can be told at once; else return None."""
    if words[1:] == ["sync"]:
        from pypackpack.frontend.cli.quick_sync import quick_sync  # noqa: PLC0415 - only what the call needs

        return quick_sync(words)
    if words[0] == "build":
        from pypackpack.frontend.cli.quick_build import quick_build  # noqa: PLC0415 - only what the call needs

        return quick_build(words)
    return None


def _whole(words: "list[str]") -> int:
    """Run the full command line."""
    import gc  # noqa: PLC0415 - not for the fast paths

    # Imports and plans make many objects and hardly any garbage: looking for it as often as Python does by default costs a build
    # with nothing to do a tenth of its time.
    gc.set_threshold(100_000, 10, 10)
    from pypackpack.frontend.cli.main import run  # noqa: PLC0415 - the full command line, only when it is needed

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
