"""Views of documents, runs and automations."""
