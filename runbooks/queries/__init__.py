"""Reads of documents, runs and automations."""
