"""Views of comms."""
