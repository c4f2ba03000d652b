"""Editable installations (PEP 660): a package that is imported straight from its sources, the host's overlay in force.

`files` says what goes into an environment, `view` keeps the folder that type checkers read, `wheel` packs both for a
frontend such as pip (`editable_wheel`), and `install` puts them into an environment itself, without an index, a build or a
child process (`install_editable`, `is_current`, `remove_editable`).
"""
