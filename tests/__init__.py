"""Tests: sentences about people."""
