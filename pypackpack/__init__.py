"""PyPackPack: one machine turns one Python source tree into wheels for every platform."""

__version__ = "0.3.0"
