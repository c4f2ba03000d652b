"""The other end of the circle; its last name is that of another module."""

from whole import first as outer


def two():
    return "two"


def back():
    return outer.one()[0]


def answer_trace():
    import traceback

    try:
        outer.Point()
    except TypeError as error:
        return [entry.filename.replace("\\", "/").rpartition("/")[2] for entry in traceback.extract_tb(error.__traceback__)][0]
