"""Health and error pages."""
