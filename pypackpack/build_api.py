"""The name by which pyproject.toml files know the build backend; see `pypackpack.frontend.build_api`."""

from pypackpack.frontend.build_api import *  # noqa: F403 - the hooks, whose one list is ``__all__`` there
