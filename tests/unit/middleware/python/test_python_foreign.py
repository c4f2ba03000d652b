from __future__ import annotations

import pytest

from pypackpack.middleware.python import foreign
from pypackpack.middleware.target import table


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("linux_x86_64", "cpython-3.13-linux-x86_64-gnu"),
        ("linux_2_28_arm64", "cpython-3.13-linux-aarch64-gnu"),
        ("linux_armv7", "cpython-3.13-linux-armv7-gnueabihf"),
        ("linux_ppc64le", "cpython-3.13-linux-powerpc64le-gnu"),
        ("linux_riscv64", "cpython-3.13-linux-riscv64gc-gnu"),
        ("linux_musl_arm64", "cpython-3.13-linux-aarch64-musl"),
        ("windows_amd64", "cpython-3.13-windows-x86_64-none"),
        ("windows_x86", "cpython-3.13-windows-x86-none"),
        ("macos_arm64", "cpython-3.13-macos-aarch64-none"),
        ("macos_universal2", "cpython-3.13-macos-aarch64-none"),
        ("emscripten_wasm32", "pyodide-3.13-emscripten-wasm32-musl"),
        ("android_24_arm64", None),
        ("ios_13_0_arm64", None),
    ],
)
def test_what_uv_calls_the_python_of_a_target(target: str, key: str | None) -> None:
    assert foreign.request_key(table.find(target), "3.13") == key


def test_the_newest_of_a_series_is_found() -> None:
    windows = table.find("windows_amd64")
    assert foreign.foreign_python(windows, (3, 13)) is None
    for name in (
        "cpython-3.13.2-windows-x86_64-none",
        "cpython-3.13.10-windows-x86_64-none",
        "cpython-3.13.11-windows-x86-none",
        "cpython-3.1.99-windows-x86_64-none",
        "cpython-3.13-windows-x86_64-none",
    ):
        (foreign.pythons_folder() / name).mkdir(parents=True)
    found = foreign.foreign_python(windows, (3, 13))
    assert found is not None
    assert found.name == "cpython-3.13.10-windows-x86_64-none"
    assert foreign.foreign_python(windows, (3, 12)) is None
    assert foreign.foreign_python(table.find("android_24_arm64"), (3, 13)) is None
