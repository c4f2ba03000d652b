"""Syntax: arguments, unpacking, walrus, f-strings, assignments, control flow."""

from __future__ import annotations

import builtins


def star(*args, **kwargs):
    return [list(args), kwargs]


def positional(a, b=2, /, c=3, *, d, e=5):
    return [a, b, c, d, e]


def named_a(a, /, **kwargs):
    return [a, kwargs]


def refused(call) -> str:
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return "no error"


def answer_calls() -> object:
    return [
        star(*"ab", *[1], **{"x": 1}, y=2),
        positional(1, d=4),
        positional(*[1, 2], **{"d": 4, "c": 9}),
        named_a(1, a=2),
        refused(lambda: positional(1)),
        refused(lambda: positional(a=1, d=2)),
        refused(lambda: star(*5)),
        refused(lambda: star(**{1: 2})),
    ]


def answer_argument_order() -> object:
    log = []

    def note(x):
        log.append(x)
        return x

    star(note(1), *[note(2)], k=note(3), **{"z": note(4)})
    {note("k1"): note("v1"), note("k2"): note("v2")}
    return log


def answer_unpacking() -> object:
    first, *middle, last = range(5)
    (a, b), [c, *d] = (1, 2), "xyz"
    e, f = 1, 2
    *g, = "ab"
    merged = {**{"a": 1}, "b": 2, **{"a": 3}}
    return [first, middle, last, a, b, c, d, e, f, g, merged, [*range(2), *"x"], (*[], 1), sorted({*"ab", *"bc"})]



def answer_walrus() -> object:
    data = [1, 5, 10]
    kept = [y for x in data if (y := x * 2) > 5]
    if (n := len(data)) > 2 and (m := n + 1):
        pass
    while (top := data.pop()) > 1:
        pass
    return [kept, y, n, m, top, any((hit := x) > 1 for x in (1, 2, 3)), hit]


def answer_f_strings() -> object:
    value, width, name, when = 3.14159, 10, "ü", None
    return [
        f"{value:.2f}|{value:>{width}.{2}f}|{name!r:>5}|{name!a}|{when!s}",
        f"{value=:.1f} {name = } {{literal}} {1 + 1=}",
        f"{'nested ' + f'{width:x}'}" "joined" f"{1_000_000:,}",
        f"{value:{'>' if width else '<'}{width}.3e}",
        f"{[x for x in range(3)]}{ {'a': 1}['a'] }{(lambda: 5)()}",
        rf"\n{width}\t",
        f"""multi
{width}""",
        [f"{b'x'}", f"{b''}" + "", f"{b'x'}{b'y'!s}{width}", f"{b'x'!r}{'text'}"],
    ]


def answer_format_errors() -> object:
    return [refused(lambda: f"{1:z}"), refused(lambda: f"{object():>5}"), refused(lambda: "{}{0}".format(1)), refused(lambda: "%d" % "x")]


def answer_loops() -> object:
    out = []
    for i in range(3):
        if i == 1:
            continue
        for j in range(3):
            if j == 2:
                break
            out.append((i, j))
        else:
            out.append("never")
    else:
        out.append("else")
    n = 3
    while n:
        n -= 1
        if n == 1:
            break
    else:
        out.append("never")
    for i in []:
        pass
    return [out, i, n]


def answer_try() -> object:
    def order():
        log = []
        try:
            try:
                log.append("try")
                raise KeyError
            except ValueError:
                log.append("value")
            except (KeyError, IndexError) as error:
                log.append(type(error).__name__)
            else:
                log.append("else")
            finally:
                log.append("finally")
        finally:
            log.append("outer")
        return log

    def override():
        try:
            return "try"
        finally:
            return "finally"  # noqa: B012

    def loop():
        out = []
        for i in range(3):
            try:
                if i == 1:
                    continue
                if i == 2:
                    break
            finally:
                out.append(i)
        return out

    return [order(), override(), loop()]


def answer_chained_assignment() -> object:
    a = b = []
    a.append(1)
    x = y = 0
    x += 1
    c = {}
    c["k"], i = 1, "k"
    d = [0, 1, 2]
    i = d[i] = 1 if (i := 2) else 0
    return [a is b, x, y, c, d, i]


def answer_augmented() -> object:
    values = [1, 2, 3]
    alias = values
    values += [4]
    values *= 2
    text = "a"
    text += "b"
    number = 7
    number //= 2
    number **= 3
    number <<= 1
    number ^= 5
    t = ([],)
    try:
        t[0] += [1]
    except TypeError:
        pass
    return [alias is values, values, text, number, t[0]]


def answer_slices() -> object:
    data = list(range(10))
    data[2:4] = ["a", "b", "c"]
    del data[::3]
    data[1::2] = [None] * len(data[1::2])
    return [data, data[-3:], data[::-1], "hello"[1:-1:2], slice(1, 2).indices(5), refused(lambda: [][1]), refused(lambda: str(1)["x"]), data[:100], data[5:1]]


def answer_conditions() -> object:
    return [1 < 2 < 3, 1 < 3 < 2, not [], 0 or "x", "" and 1, None is None, 1 if [] else 2, 1 == 1.0 == True, [] == (), "a" in "abc", 3 not in {1}]


def answer_del() -> object:
    x, d, values = 1, {"a": 1, "b": 2}, [1, 2, 3]
    del d["a"], values[0]
    del x
    return [d, values, refused(lambda: x)]


def answer_undeclared_at_run_time() -> object:
    before = refused(lambda: appears_later)  # noqa: F821
    globals()["appears_later"] = "global"
    builtins.appears_in_builtins = "builtin"
    try:
        return [before, appears_later, appears_in_builtins]  # noqa: F821
    finally:
        del builtins.appears_in_builtins, globals()["appears_later"]


def answer_shadowed_builtins() -> object:
    def shadow(list, len=3):
        max = lambda *a: "mine"  # noqa: E731
        return [list, len, max(1, 2)]

    before = globals().get("sum")
    globals()["sum"] = lambda values: "patched"
    try:
        patched = sum([1, 2])
    finally:
        del globals()["sum"]
    return [shadow(1), before, patched, sum([1, 2])]


def answer_patched_builtins() -> object:
    original = builtins.len
    builtins.len = lambda value: "patched"
    try:
        seen = len([1])
    finally:
        builtins.len = original
    return [seen, len([1])]


def answer_globals_and_locals() -> object:
    a, b = 1, [2]
    seen = locals()
    return [sorted(seen), seen["a"], globals() is globals(), globals()["__name__"], sorted(vars(type("T", (), {"x": 1})).keys() & {"x"}), "star" in dir()]


def answer_dir_of_locals() -> object:
    x = y = 1
    return [dir(), x + y]


def answer_eval_and_exec() -> object:
    x = 5
    scope = {}
    exec("def f(a, *, b=2):\n    return a + b", scope)
    return [eval("1 + 1"), eval("x * 2", {"x": x}), scope["f"](1), eval("star(1)"), eval("x"), [eval(compile("y ** 2", "<s>", "eval"), {"y": n}) for n in range(3)]]


def answer_star_assignment_targets() -> object:
    class Box:
        pass

    box, data = Box(), {}
    for box.x, data["k"] in [(1, 2), (3, 4)]:
        pass
    with_attr = [box.x for box.x in range(3)]
    return [box.x, data, with_attr]


def answer_strings() -> object:
    return ["\u00fc\N{EURO SIGN}\x41\101", b"\xff\x00".hex(), r"\n", "a" "b", """x
y""", "\ud800".encode("utf-16", "surrogatepass").hex(), "a\0b", len("\U0001f600")]


def answer_numbers_written() -> object:
    return [0xFF, 0b101, 0o17, 1_000, 1e3, 0.1 + 0.2, complex("1j") ** 2 == -1, 10**20, -7 // 2, ...  is Ellipsis]


def answer_type_comments_and_ignored() -> object:
    x = []  # type: list[int]
    "a string that nobody reads"
    return x


def answer_many_arguments() -> object:
    names = [f"a{i}" for i in range(300)]
    scope: dict[str, object] = {}
    exec(f"def f({', '.join(names)}): return a299", scope)
    return scope["f"](*range(300))


def answer_doubled_keywords() -> object:
    one, two = {"x": 1}, {"x": 2}
    return [refused(lambda: star(**one, **two)), refused(lambda: star(x=1, **one))]


def answer_doubled_keywords_as_written() -> object:
    return refused(lambda: star(**{"x": 1}, **{"x": 2}))


def answer_chained_unpacking_of_the_same_names() -> object:
    a, b = b, a = 1, 2
    return [a, b]
