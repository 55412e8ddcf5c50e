"""Actions of comms."""
