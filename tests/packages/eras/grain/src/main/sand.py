"""One class and what makes it."""


class Grain:
    def __init__(self, weight=1.5):
        self.weight = weight


def answer_grains():
    return [Grain(number / 4).weight for number in range(4)]
