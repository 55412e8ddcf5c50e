"""Queries of tickets."""
