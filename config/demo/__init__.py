"""Demo data: people, customers and incidents that are all invented (RFC 5737 addresses, .example names)."""
