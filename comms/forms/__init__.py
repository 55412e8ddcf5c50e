"""Forms of comms."""
