"""What the XML reader needs: the tree of a file, the texts of its elements, and the vocabularies that it knows."""
