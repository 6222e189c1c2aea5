"""Documents of Pages, Numbers and Keynote. Runs in the worker processes."""
