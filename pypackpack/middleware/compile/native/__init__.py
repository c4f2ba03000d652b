"""A package's own native sources: `.pyx`, C and C++ that become extension modules by their place in the tree.

`text` reads what stands in them, `find` says which of them are modules and which file belongs to which, and `tasks` makes
C of them as a task leaves it behind (`model.csource`). From there on they are compiled as everything else is.
"""
