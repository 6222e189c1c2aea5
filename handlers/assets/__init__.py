"""The files of the browser's page as a browser gets them: few, compressed, and named by their content."""
