"""Answers that show what is made of declarations beside Python."""


def answers() -> dict:
    from . import sums, user

    point = sums.Point(3, 4)
    try:
        point.more = 1
        kept = True
    except AttributeError:
        kept = False
    try:
        sums.total("no number")
        checked = False
    except TypeError:
        checked = True
    return {
        "total": sums.total(10),
        "scaled": sums.scaled(7),
        "norm": point.norm(),
        "extension type": not kept,
        "typed": checked,
        "hidden": not hasattr(sums, "square"),
        "cimported": user.doubled(5),
        "of a type": user.norm_of(point),
    }
