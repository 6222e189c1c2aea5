"""Lists of a collection's documents in any order, from any place, and statistics of them."""
