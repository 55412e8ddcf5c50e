"""Incidents, their life cycle, the team of an incident."""
