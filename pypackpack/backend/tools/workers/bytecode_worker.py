"""A child process that makes bytecode on the Python it is run with, one request per line; standard library only.

Request: ``{"name": "pkg/mod.py", "source": <base64>, "checked": false}``. Answer: ``{"pyc": <base64>}`` or
``{"error": message, "line": n, "column": n, "text": line}``. With ``"tables": n`` beside the pyc the module is mostly
tables of so many values.

Request: ``{"examine": <base64>, "compiler": "cython", "version": "3.3.1"}``. Answer:
``{"refused": [[line, column, message], …], "trailer": source}`` (`examine`).

The bytes depend on the source, the name and the exact Python alone. Python's marshal marks an object for sharing only
if somebody else refers to it at that moment, which depends on what ran before in the process; so every object of the
code is held a second time here, and all are marked. Hashes of strings are fixed by the caller (``PYTHONHASHSEED``).
"""

import base64
import importlib.util
import io
import json
import marshal
import sys
import tokenize
import types
import warnings

NEWLOCALS = 0x2  # inspect.CO_NEWLOCALS: a function's code
# A table of a thousand values is a function of many thousand lines of C, which compilers take minutes for.
LARGE_TABLES = 1000
MOSTLY = 0.8

sys.dont_write_bytecode = True  # nothing is written where pypackpack is installed


def held(value, keep):
    """Collect every object that marshal will write, so that each has a second owner."""
    keep.append(value)
    if isinstance(value, (tuple, frozenset)):
        for item in value:
            held(item, keep)
    elif isinstance(value, types.CodeType):
        names = ("co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_filename", "co_name", "co_qualname")
        for name in names:
            held(getattr(value, name, None), keep)


def undecodable(source):
    """Return the problem of a source that is not text in its own encoding (PEP 263, PEP 3120), else None.

    compile() itself does not look into comments, Cython does.
    """
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        source.decode(encoding)
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        message = f"this is not {error.encoding} text: {error.reason} (byte 0x{source[error.start]:02x})"
        return {"error": message, "line": line, "column": 0, "text": ""}
    except SyntaxError as error:
        declared = b"coding" in b"".join(source.splitlines()[:2])
        message = str(error) if declared else "this is not utf-8 text, and no other encoding is declared"
        return {"error": message, "line": 1, "column": 0, "text": ""}
    return None


def compiled(request):
    """Answer one request."""
    source = base64.b64decode(request["source"])
    problem = undecodable(source)
    if problem:
        return problem
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(source, request["name"], "exec", dont_inherit=True, optimize=0)
    except SyntaxError as error:
        return {"error": error.msg, "line": error.lineno or 0, "column": error.offset or 0, "text": error.text or ""}
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return {"error": str(error) or type(error).__name__, "line": 0, "column": 0, "text": ""}
    keep = []
    held(code, keep)
    flags = 0b11 if request["checked"] else 0b01  # PEP 552: hash-based; checked against the source at import or not
    header = importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little") + importlib.util.source_hash(source)
    data = header + marshal.dumps(code)
    answer = {"pyc": base64.b64encode(data).decode()}
    values, rest = weight(code, True)
    if values >= LARGE_TABLES and values >= MOSTLY * (values + rest):
        answer["tables"] = values
    return answer


def weight(code, once):
    """Return how much of a code object runs once, when it is imported, and how much in functions.

    Counted are instructions and constants, those in tuples each by itself: what a compiler has to write down.
    """
    size = len(code.co_code) // 2 + sum(map(values_in, code.co_consts))
    found = [size, 0] if once else [0, size]
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            for number, more in enumerate(weight(inner, once and not inner.co_flags & NEWLOCALS)):  # the body of a class has none
                found[number] += more
    return found


def values_in(constant):
    """Return how many values a constant is."""
    if isinstance(constant, types.CodeType):
        return 0
    return sum(map(values_in, constant)) + 1 if isinstance(constant, (tuple, frozenset)) else 1


def examined(request):
    """Answer one request about a source that has been compiled without an error."""
    from examine import examine  # noqa: PLC0415 - import cost: only level native asks

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refused, trailer = examine(base64.b64decode(request["examine"]), request["compiler"], request["version"])
    except RecursionError:
        return {"refused": [[0, 0, "its code is nested too deeply to be looked through"]], "trailer": ""}
    return {"refused": refused, "trailer": trailer}


def main():
    """Answer until stdin ends."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        sys.stdout.write(json.dumps(examined(request) if "examine" in request else compiled(request)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
