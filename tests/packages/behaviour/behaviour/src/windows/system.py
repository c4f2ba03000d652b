"""The system that this was built for, by the overlay."""

NAME = "windows"


def describe() -> str:
    return "the file of src/windows"
