"""The MCP server at `/mcp`: what an assistant may search and read, with the rights of the user whose key it has.

`schemas` describes the tools; `search_tools`, `reading`, `listings` and `resources` answer them, with the services that
REST uses. None of these knows the protocol: that is the official SDK's, which `sdk_server` connects them with.
`handlers/mcp_endpoint.py` loads it when the first request comes. `bin/semantik-mcp` passes calls on to this server.
"""
