"""Treeline as people use it: the one command runs, and Chromium goes through the pages."""
