"""Benchmarks that print figures: `make bench`. What they mean: docs/performance.md."""
