"""Telling people: notifications and mail."""
