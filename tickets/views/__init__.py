"""Views of tickets."""
