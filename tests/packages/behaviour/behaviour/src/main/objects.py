"""Classes: properties, super, metaclasses, descriptors, slots, operators."""

from __future__ import annotations

import abc
import weakref


class Base:
    registry: list[str] = []

    def __init_subclass__(cls, *, label: str = "", **rest: object) -> None:
        super().__init_subclass__(**rest)
        cls.label = label
        Base.registry.append(f"{cls.__name__}:{label}")

    def who(self) -> list[str]:
        return ["Base"]


class Left(Base, label="l"):
    def who(self) -> list[str]:
        return ["Left", *super().who()]


class Right(Base, label="r"):
    def who(self) -> list[str]:
        return ["Right", *super(Right, self).who()]


class Both(Left, Right):
    def who(self) -> list[str]:
        return [__class__.__name__, *super().who()]

    @classmethod
    def make(cls) -> Both:
        return super().__new__(cls)


class Meta(type):
    made: list[str] = []

    @classmethod
    def __prepare__(mcs, name: str, bases: tuple[type, ...], **options: object) -> dict[str, object]:
        return {"prepared": name, **options}

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, object], **options: object) -> Meta:
        mcs.made.append(name)
        return super().__new__(mcs, name, bases, {**space, "keys": [key for key in space if not key.startswith("__")]})

    def __init__(cls, name: str, bases: tuple[type, ...], space: dict[str, object], **options: object) -> None:
        super().__init__(name, bases, space)

    def __call__(cls, *args: object) -> object:
        made = super().__call__(*args)
        made.called = True
        return made

    def __getitem__(cls, key: object) -> str:
        return f"{cls.__name__}[{key}]"

    def __contains__(cls, key: object) -> bool:
        return key == "in"

    @property
    def shouted(cls) -> str:
        return cls.__name__.upper()


class Made(metaclass=Meta, option=3):
    first = 1

    def second(self) -> int:
        return 2


class Child(Made):
    third = 3


class Temperature:
    __slots__ = ("__weakref__", "_celsius")

    def __init__(self, celsius: float) -> None:
        self.celsius = celsius

    @property
    def celsius(self) -> float:
        """Degrees."""
        return self._celsius

    @celsius.setter
    def celsius(self, value: float) -> None:
        if value < -273.15:
            raise ValueError("too cold")
        self._celsius = value

    @celsius.deleter
    def celsius(self) -> None:
        self._celsius = 0.0

    kelvin = property(lambda self: self._celsius + 273.15, doc="Kelvin.")


class Typed:
    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> object:
        return self if instance is None else instance.__dict__.get(self.name)

    def __set__(self, instance: object, value: object) -> None:
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name} must be {self.kind.__name__}")
        instance.__dict__[self.name] = value


class Person:
    name = Typed(str)
    age = Typed(int)
    __private = "mangled"

    def peek(self) -> str:
        return self.__private


class Shape(abc.ABC):
    @property
    @abc.abstractmethod
    def area(self) -> float: ...

    @abc.abstractmethod
    def grow(self) -> None: ...

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return True if cls is Shape and hasattr(other, "quacks") else NotImplemented


class Square(Shape):
    area = 4.0

    def grow(self) -> None:
        return None


class Duck:
    quacks = True


class Vector:
    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def __repr__(self) -> str:
        return f"Vector{tuple(self.values)}"

    def __add__(self, other: Vector) -> Vector:
        return Vector(*(a + b for a, b in zip(self.values, other.values, strict=True)))

    def __mul__(self, by: object) -> Vector:
        return Vector(*(a * by for a in self.values)) if isinstance(by, (int, float)) else NotImplemented

    __rmul__ = __mul__

    def __matmul__(self, other: Vector) -> float:
        return sum(a * b for a, b in zip(self.values, other.values, strict=True))

    def __iadd__(self, other: Vector) -> Vector:
        self.values = [a + b for a, b in zip(self.values, other.values, strict=True)]
        return self

    def __neg__(self) -> Vector:
        return self * -1

    def __bool__(self) -> bool:
        return any(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, key: object) -> object:
        return self.values[key] if not isinstance(key, tuple) else list(key)

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __call__(self, *args: object, **kwargs: object) -> object:
        return [args, kwargs]

    def __format__(self, spec: str) -> str:
        return "|".join(format(value, spec) for value in self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and self.values == other.values

    def __hash__(self) -> int:
        return hash(tuple(self.values))

    def __index__(self) -> int:
        return len(self.values)

    def __class_getitem__(cls, item: object) -> str:
        return f"{cls.__name__} of {getattr(item, '__name__', item)}"


class Dynamic:
    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        return f"made {name}"

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, [value])

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)

    def __getattribute__(self, name: str) -> object:
        return "intercepted" if name == "special" else super().__getattribute__(name)


def refused(call) -> str:
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def answer_super() -> object:
    return [Both().who(), [each.__name__ for each in Both.__mro__], type(Both.make()).__name__]


def answer_init_subclass() -> object:
    return [Base.registry, Left.label, Both.label]


def answer_metaclass() -> object:
    return [Meta.made, Made.prepared, Made.option, Made.keys, Child.keys, Made().called, Made["x"], "in" in Made, Made.shouted, type(Child).__name__]


def answer_property() -> object:
    warm = Temperature(20)
    warm.celsius = 25
    before = [warm.celsius, warm.kelvin, Temperature.celsius.__doc__, Temperature.kelvin.__doc__]
    del warm.celsius
    return [before, warm.celsius, refused(lambda: Temperature(-300)), refused(lambda: setattr(warm, "kelvin", 1)).split(":")[0]]


def answer_slots() -> object:
    warm = Temperature(20)
    return [refused(lambda: setattr(warm, "other", 1)).split(":")[0], hasattr(warm, "__dict__"), weakref.ref(warm)() is warm]


def answer_descriptors() -> object:
    person = Person()
    person.name, person.age = "Ada", 36
    return [person.name, vars(person), refused(lambda: setattr(person, "age", "x")), Person.name.name, person.peek(), hasattr(Person, "_Person__private")]


def answer_abstract() -> object:
    return [refused(Shape).split(":")[0], sorted(Shape.__abstractmethods__), Square().area, isinstance(Duck(), Shape), issubclass(int, Shape)]


def answer_operators() -> object:
    a, b = Vector(1, 2), Vector(3, 4)
    c = a
    c += b
    return [
        repr(a + b), repr(2 * b), a @ b, c is a, repr(-b), bool(Vector(0)), len(b), b[0], b[:], b[1, 2], 3 in b, b(1, k=2),
        f"{b:.1f}", b == Vector(3, 4), hash(b) == hash(Vector(3, 4)), [10, 20, 30][Vector(1, 1)], Vector[int], refused(lambda: b * "x").split(":")[0],
    ]  # fmt: skip


def answer_dynamic() -> object:
    dynamic = Dynamic()
    dynamic.real = 1
    before = [dynamic.real, dynamic.other, dynamic.special, hasattr(dynamic, "_hidden")]
    del dynamic.real
    return [before, dynamic.real]


def answer_attributes_of_classes() -> object:
    return [Vector.__name__, Vector.__qualname__, Vector.__module__, Person.__dict__["peek"].__qualname__, Vector.__doc__, "__repr__" in vars(Vector), Both.__bases__ == (Left, Right)]


def answer_type_call() -> object:
    made = type("Dynamic2", (Vector,), {"extra": lambda self: len(self) + 1, "__module__": __name__})
    return [made(1, 2).extra(), repr(made(1)), made.__name__, made.__mro__[1] is Vector]


def answer_monkeypatch() -> object:
    class Patched:
        def method(self) -> str:
            return "old"

    def new(self) -> str:
        return "new " + Patched.original(self)

    Patched.original = Patched.method
    Patched.method = new
    one = Patched()
    one.method = one.method
    return [Patched().method(), one.method(), Patched.method.__name__]


def answer_method_objects() -> object:
    vector = Vector(1)
    method = vector.__add__
    return [method.__self__ is vector, method.__func__ is Vector.__add__, method.__name__, Vector.__add__(vector, vector) == Vector(2), vector.__add__ == vector.__add__]


def answer_weak_references() -> object:
    log: list[str] = []

    class Target:
        pass

    def function() -> None:
        pass

    target = Target()
    finalizer = weakref.finalize(target, log.append, "gone")
    reference, mapping = weakref.ref(target), weakref.WeakValueDictionary(t=target)
    method = weakref.WeakMethod(Square().grow) is not None
    alive = [reference() is target, len(mapping), finalizer.alive, weakref.ref(function)() is function, method]
    del target
    import gc

    gc.collect()
    return [alive, reference() is None, len(mapping), log]


def answer_del() -> object:
    log: list[str] = []

    class Closing:
        def __del__(self) -> None:
            log.append("closed")

    Closing()
    import gc

    gc.collect()
    return log


def answer_class_body_order() -> object:
    class Ordered:
        b = 1
        a = 2

        def z(self) -> None: ...

        y = [b, a]
        del a

    return [key for key in vars(Ordered) if not key.startswith("__")]


def answer_inheriting_builtins() -> object:
    class Text(str):
        def shout(self) -> str:
            return self.upper() + "!"

    class Numbers(list):
        def __getitem__(self, index):
            return ("got", super().__getitem__(index))

    class Strict(dict):
        def __missing__(self, key):
            return f"no {key}"

    class Whole(int):
        def __add__(self, other):
            return Whole(int(self) + int(other) + 1)

    return [Text("a").shout(), list(Numbers([1, 2])[0]), Strict(a=1)["b"], Whole(1) + 2, isinstance(Whole(1) + 1, Whole), Text("abc")[1:]]
