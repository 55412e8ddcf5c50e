"""Forms of documents, runs and automations."""
