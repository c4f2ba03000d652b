"""The system that this was built for, by the overlay."""

NAME = "main"


def describe() -> str:
    return "the file of src/main"
