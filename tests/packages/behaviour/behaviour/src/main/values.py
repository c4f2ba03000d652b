"""Numbers, text, containers."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction


def refused(call) -> str:
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def answer_big_integers() -> object:
    big = 2**64
    product = 1
    for n in range(1, 40):
        product *= n
    shifted = 1
    for _ in range(100):
        shifted = shifted << 1
    return [str(big * big), str(product), str(shifted), str(-big >> 3), (2**31) * 2, 2**63 - 1 + 1, hash(2**61), int("9" * 40) % 97, (-5) & 0xFF]


def answer_integer_loop_overflow() -> object:
    total = 0
    for i in range(2**62, 2**62 + 4):
        total += i
    i = 2147483647
    i += 1
    j: int = 9223372036854775807
    j = j + 1
    return [str(total), i, str(j), str(j * -1)]


def answer_division() -> object:
    pairs = [(7, 2), (-7, 2), (7, -2), (-7, -2), (7.5, 2), (-7.5, 2), (1, -3)]
    return [[a // b, a % b, a / b, list(divmod(a, b))] for a, b in pairs]


def answer_division_by_zero() -> object:
    zero = 0
    return [refused(call).split(":")[0] for call in (lambda: 1 / zero, lambda: 1 % zero, lambda: 1.0 // zero, lambda: zero**-1)]


def answer_division_by_zero_messages() -> object:
    zero = 0
    return [refused(lambda: 1 / zero), refused(lambda: 1 % zero), refused(lambda: 1.0 // zero)]


def answer_floats() -> object:
    inf = float("inf")
    nan = float("nan")
    return [repr(0.1 + 0.2), repr(1e16 + 1), round(2.5), round(-1.5), round(2.675, 2), inf > 1e308, nan == nan, repr(-0.0), 1e400 == inf, (0.1).hex(), math.fsum([0.1] * 10), repr(1e22), 3.0 == 3, hash(3.0) == hash(3)]


def answer_power() -> object:
    return [2**-1, (-2) ** 2, -(2**2), pow(3, -1, 7), pow(2, 100, 1000), 0**0, 2**0.5, type(2**2).__name__, type(2**-2).__name__]


def answer_bools() -> object:
    return [True + True, sum([True, False, True]), True & 1, type(True & True).__name__, type(True | 1).__name__, -True, [10, 20][True], True == 1, f"{True:d}", ~5]


def answer_bitwise() -> object:
    return [5 & -2, 5 | -2, 5 ^ -2, 1 << 70 >> 68, (255).to_bytes(2, "big").hex(), int.from_bytes(b"\x01\x00", "little"), (10).bit_length()]


def answer_other_numbers() -> object:
    return [str(Decimal("0.1") + Decimal("0.2")), str(Fraction(1, 3) + Fraction(1, 6)), str(complex(1, 2) * 2), abs(complex("3+4j")), int("0x1f", 16), int(-3.9), float("1e-5"), 7 .__class__.__name__]


def answer_comparisons() -> object:
    return [1 < 1.5, [1, 2] < [1, 3], (1,) < (1, 0), "a" < "b", {1} < {1, 2}, None == 0, sorted([3, 1.5, True]), max("b", "a", key=ord), min([], default="none")]


def answer_text() -> object:
    text = "Straße ÄÖ"
    return [text.upper(), text.casefold(), text.center(15, "*"), text.split(), text.encode().hex(), text[::-1], text.find("Ä"), text.replace("ß", "ss"), "a,b,,c".split(","), " x ".strip(), "%s %5.2f %r %-3d|" % ("a", 1.005, "b", 7), "{0!r:>6} {name[k]} {1.real}".format("x", 3, name={"k": 1}), "x".join("abc"), "a\tb".expandtabs(4), "abc".translate({97: "z"}), "ﬁ".isidentifier(), "Ab" * 2, "b" in "abc", "{:,.2f} {:>+8} {:#x} {:%} {:e}".format(1234567.891, 5, 255, 0.25, 12345.678)]


def answer_bytes() -> object:
    data = bytearray(b"abc")
    data[0] = 120
    data += b"d"
    errors = [refused(lambda: b"a" + "a").split(":")[0], refused(lambda: bytes([256]))]
    return [data.decode(), b"abc"[0], list(b"ab"), str(b"%d-%s" % (5, b"x")), memoryview(b"abc")[1:].tobytes().decode(), errors]


def answer_dicts() -> object:
    table = {"z": 1, "a": 2}
    table["m"] = 3
    del table["z"]
    table["z"] = 4
    merged = table | {"a": 9, "n": 0}
    table |= [("q", 5)]
    out = []
    for key, value in table.items():
        out.append([key, value])
    return [list(table), merged, out, table.pop("q"), table.setdefault("s", []), list(reversed(table)), dict(zip("ab", (1, 2)), c=3), {1: "a", 1.0: "b", True: "c"}, refused(lambda: table["no"])]


def answer_dict_changes_in_loop() -> object:
    table = {"a": 1}

    def grow():
        for key in table:
            table[key + "x"] = 1

    return refused(grow)


def answer_sets() -> object:
    a, b = {3, 1, 2}, {2, 3, 4}
    return [sorted(a & b), sorted(a | b), sorted(a ^ b), sorted(a - b), a >= {1}, len({1, 1.0, True}), frozenset([1]) == {1}, sorted(x % 3 for x in range(10)), refused(lambda: {[]}).split(":")[0]]


def answer_lists() -> object:
    values = [3, 1, 2]
    values.sort(reverse=True)
    values.insert(1, "x")
    values.extend(range(2))
    copy = values[:]
    copy.remove("x")
    nested = [[0] * 2] * 2
    nested[0][0] = 1
    return [values, copy, nested, values.index("x"), [*zip([1, 2], "ab", strict=False)], list(enumerate("ab", 1)), sorted(["b", "A"], key=str.lower), list(map(lambda a, b: a + b, [1], [2])), list(filter(None, [0, 1])), refused(lambda: [].pop()), refused(lambda: list(zip([1], [], strict=True)))]


def answer_list_changes_in_loop() -> object:
    values = [1, 2, 3, 4]
    seen = []
    for value in values:
        seen.append(value)
        if value == 2:
            values.remove(1)
        if len(values) < 5 and value == 4:
            values.append(5)
    return [seen, values]


def answer_tuples() -> object:
    t = (1, [2], "x")
    t[1].append(3)
    return [t, t + (4,), t * 2 == t + t, t.count(1), hash((1, 2)) == hash((1, 2)), refused(lambda: t.__setitem__).split(":")[0], (), (1,)]


def answer_range() -> object:
    return [list(range(5, 0, -2)), len(range(10**18)), 10**17 in range(10**18), range(0, 10, 3)[-1], range(3) == range(0, 3, 1), list(range(2**63, 2**63 + 2))[1] > 0, refused(lambda: range(1, 2, 0))]


def answer_range_variable_reassigned() -> object:
    out = []
    for i in range(3):
        out.append(i)
        i = 10
    n = 3
    for j in range(n):
        n = 0
        out.append(j)
    return [out, i, j]


def answer_identity() -> object:
    a = (1, 2)
    return [a is a, a is not None, [] is not [], type(a) is tuple, isinstance(True, int), issubclass(bool, int), id(a) == id(a)]


def answer_none_attribute() -> object:
    nothing = None
    return [refused(lambda: nothing.x), refused(lambda: nothing[0]), refused(lambda: nothing()), refused(lambda: nothing + 1)]


def answer_attribute_messages() -> object:
    return [refused(lambda: (1).x), refused(lambda: "a".nothing), refused(lambda: [1] + (1,)), refused(lambda: len(5)), refused(lambda: {}.x), refused(lambda: int("x"))]


def answer_character_comparison() -> object:
    out = []
    for character in "aß€":
        out.append([character == "ß", ord(character), character in "€x", character.upper(), type(character).__name__])
    return out


def answer_identity_of_a_float() -> object:
    nan = float("nan")
    return [nan is nan, nan in [nan]]


def answer_written_arithmetic_that_cannot_work() -> object:
    calls = (lambda: 1 < "a", lambda: 1 << -1, lambda: 0**-1, lambda: 2.0**5000)
    return [refused(call) for call in calls]


def answer_arithmetic_that_cannot_work() -> object:
    one, text, minus, two = 1, "a", -1, 2.0
    return [refused(call).split(":")[0] for call in (lambda: one < text, lambda: one << minus, lambda: two**5000)]


def answer_complex_power() -> object:
    # Of literals it would be worked out by the C library's cpow, which wine's does not have.
    minus = -8
    return repr(minus ** (1 / 3))
