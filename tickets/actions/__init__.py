"""Actions of tickets."""
