from exact.numbers import fibonacci

print(fibonacci(10))
