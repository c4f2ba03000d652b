"""One file per outside tool."""
