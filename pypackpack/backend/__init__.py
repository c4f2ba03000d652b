"""The only floor that touches the world: processes, files, tools."""
