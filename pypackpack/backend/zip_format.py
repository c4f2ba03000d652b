"""The records of ZIP archives, for what reads and what writes them.

Format: PKWARE APPNOTE 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (section 4.3)
"""

from __future__ import annotations

import struct
from typing import Final

LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
"""Local file header: signature, version, flags, method, time, date, CRC-32, compressed size, size, lengths of name and extra."""
LOCAL_MAGIC: Final = b"PK\x03\x04"

CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
"""An entry of the central directory: signature, versions (made by, needed), flags, method, time, date, CRC-32, compressed size,
size, lengths of name, extra and comment, disk, internal and external attributes, offset of the local header."""
CENTRAL_MAGIC: Final = b"PK\x01\x02"

END: Final = struct.Struct("<4sHHHHIIH")
"""End of the central directory: signature, disk, its first disk, entries here, entries, size, offset, length of the comment."""
END_MAGIC: Final = b"PK\x05\x06"

END_64: Final = struct.Struct("<4sQHHIIQQQQ")
"""The same for large archives: signature, size of the record, versions, disk, first disk, entries here, entries, size, offset."""
END_64_MAGIC: Final = b"PK\x06\x06"

LOCATOR_64: Final = struct.Struct("<4sIQI")
"""Where that record stands: signature, its disk, its offset, number of disks."""
LOCATOR_64_MAGIC: Final = b"PK\x06\x07"

FULL_16: Final = 0xFFFF
FULL_32: Final = 0xFFFFFFFF
"""What stands in a field whose value is in the larger record, or in the extra field of the kind `ZIP64_EXTRA`."""
ZIP64_EXTRA: Final = 1

OTHER_NAME_EXTRA: Final = 0x7075
"""The kind of an extra field with the member's name once more, in UTF-8."""

SIZES_MAGIC: Final = b"PK\x07\x08"
"""What may stand before CRC-32 and sizes behind a member's bytes (4.3.9)."""

ENCRYPTED: Final = 1
SIZES_BEHIND: Final = 8
UTF8: Final = 0x800
"""Bits of the flags."""

STORED: Final = 0
DEFLATED: Final = 8
"""Methods of compression."""
