"""What people would pick instead of Semantik, as its documentation shows it, in a virtual environment of its own."""
