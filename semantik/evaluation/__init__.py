"""How well a search finds what it should: judged sets, the ranks of a server's answers, and measures of quality.

Knows a server by its REST interface alone. Runs in the process of `semantik-eval`.
"""
