"""The tree: tickets, comments, attachments."""
