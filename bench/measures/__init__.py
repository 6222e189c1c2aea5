"""One module for each thing that is measured: `measure()` yields its figures, and runs in a process of its own."""
