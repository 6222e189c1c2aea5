"""One module per measure: `measure()` yields its results, and runs in its own process."""
