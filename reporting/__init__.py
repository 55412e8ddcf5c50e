"""Reports and what comes out at the end."""
