"""Documents, runs and automations: written procedures that turn into work, and get better with each use."""
