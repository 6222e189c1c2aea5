"""Which documents are found: judged sets, generated queries, other engines and simple mixes to compare with."""
