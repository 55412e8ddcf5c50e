"""Users, IR team, customers, login."""
