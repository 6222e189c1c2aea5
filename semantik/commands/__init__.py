"""The commands behind the scripts in `bin/`: each parses its arguments, calls the services and prints the result."""
