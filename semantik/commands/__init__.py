"""What `bin/` runs: parse, call, print."""
