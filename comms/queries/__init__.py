"""Queries of comms."""
