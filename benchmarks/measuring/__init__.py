"""What the benchmarks share: environments of what is compared, and a stopwatch for commands."""
