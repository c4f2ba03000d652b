"""Which libraries a platform has by itself, and which versions of their symbols: what a wheel may load without bringing it.

Sources: PEP 600 and the policies of auditwheel for Linux (a test compares with those of the auditwheel that is installed),
delvewheel's list of the DLLs of Windows and of Python, and delocate's rule for macOS.
"""

from __future__ import annotations

import re
from typing import Final

MANYLINUX: Final = frozenset(
    {
        "libGL.so.1",
        "libICE.so.6",
        "libSM.so.6",
        "libX11.so.6",
        "libXext.so.6",
        "libXrender.so.1",
        "libanl.so.1",
        "libatomic.so.1",
        "libc.so.6",
        "libdl.so.2",
        "libexpat.so.1",
        "libgcc_s.so.1",
        "libglib-2.0.so.0",
        "libgobject-2.0.so.0",
        "libgthread-2.0.so.0",
        "libm.so.6",
        "libmvec.so.1",
        "libnsl.so.1",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libstdc++.so.6",
        "libutil.so.1",
        "libz.so.1",
    }
)
LOADER: Final = re.compile(r"ld-linux[-\w]*\.so\.\d+|ld64\.so\.\d+|ld-musl-\w+\.so\.1")
"""The loader itself, which some modules name."""

MUSLLINUX: Final = re.compile(r"libc\.so|libc\.musl-\w+\.so\.1|libz\.so\.1")

SYMBOLS: Final[dict[tuple[int, ...], dict[str, tuple[int, ...]]]] = {
    (2, 5): {"GLIBCXX": (3, 4, 8), "CXXABI": (1, 3, 1), "GCC": (4, 2, 0)},
    (2, 12): {"GLIBCXX": (3, 4, 13), "CXXABI": (1, 3, 3), "GCC": (4, 3, 0)},
    (2, 17): {"GLIBCXX": (3, 4, 19), "CXXABI": (1, 3, 7), "GCC": (4, 7, 0)},
    (2, 24): {"GLIBCXX": (3, 4, 22), "CXXABI": (1, 3, 10), "GCC": (4, 7, 0)},
    (2, 26): {"GLIBCXX": (3, 4, 22), "CXXABI": (1, 3, 10), "GCC": (4, 8, 0)},
    (2, 27): {"GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11), "GCC": (7, 0, 0)},
    (2, 28): {"GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11), "GCC": (7, 0, 0)},
    (2, 31): {"GLIBCXX": (3, 4, 28), "CXXABI": (1, 3, 12), "GCC": (7, 0, 0)},
    (2, 34): {"GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13), "GCC": (7, 0, 0)},
    (2, 35): {"GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13), "GCC": (11, 0)},
    (2, 39): {"GLIBCXX": (3, 4, 33), "CXXABI": (1, 3, 15), "GCC": (14, 0, 0)},
}
"""glibc of a manylinux tag → the newest versions of other symbols on all systems of that tag, the lower of x86-64 and ARM64."""

ANDROID: Final = frozenset(
    {
        "libEGL.so",
        "libGLESv1_CM.so",
        "libGLESv2.so",
        "libOpenMAXAL.so",
        "libOpenSLES.so",
        "libandroid.so",
        "libc.so",
        "libcrypto_python.so",
        "libdl.so",
        "libjnigraphics.so",
        "liblog.so",
        "libm.so",
        "libmediandk.so",
        "libsqlite3_python.so",
        "libssl_python.so",
        "libz.so",
    }
)

_DLLS: Final = """
advapi32 authz avrt bcrypt bcryptprimitives cabinet cfgmgr32 combase comctl32 comdlg32 credui crypt32 cryptbase
cryptnet cryptsp d2d1 d3d10 d3d11 d3d12 d3d9 dbgeng dbghelp dcomp ddraw devobj dinput8 dnsapi dsound dwmapi dwrite
dxgi dxva2 esent fltlib gdi32 gdiplus glu32 hid httpapi imagehlp imm32 iphlpapi kernel32 kernelbase ktmw32 mf mfplat
mfreadwrite mpr msacm32 msi msimg32 msvcrt mswsock ncrypt netapi32 normaliz ntdll odbc32 odbccp32 ole32 oleacc
oleaut32 opengl32 pdh powrprof profapi propsys psapi rasapi32 rpcrt4 rstrtmgr samcli secur32 sensapi setupapi sfc
shcore shell32 shlwapi srvcli sspicli tdh ucrtbase urlmon user32 userenv usp10 uxtheme version virtdisk winhttp
wininet winmm winscard winspool wintrust winusb wkscli wldap32 ws2_32 wsock32 wtsapi32 xinput1_4 xmllite
"""
WINDOWS: Final = frozenset(f"{name}.dll" for name in _DLLS.split()) | {"winspool.drv"}
"""DLLs of every Windows that Python runs on (10 and later), in lower case."""
WINDOWS_SETS: Final = re.compile(r"(?:api|ext)-ms-[\w-]+\.dll")
WINDOWS_PYTHON: Final = frozenset({"vcruntime140.dll", "vcruntime140_1.dll", "python3.dll"})
"""What comes with Python; ``python3XY.dll`` too, which is looked at by itself."""

APPLE: Final = ("/usr/lib/", "/System/Library/")
