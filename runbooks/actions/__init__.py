"""Actions of documents, runs and automations."""
