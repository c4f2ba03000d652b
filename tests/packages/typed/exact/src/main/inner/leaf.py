from ..numbers import fibonacci

LEAF = f" leaf {fibonacci(5)}"


def answer_file() -> object:
    return [__name__, __file__.rpartition(".")[2] != "", LEAF]
