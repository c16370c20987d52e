"""How fast and how large: measured by ``make bench``, written to docs/benchmarks.md."""
