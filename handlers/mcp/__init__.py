"""The MCP server at `/mcp`: what an assistant may search and read, with the rights of the user whose key it has.

`definitions` and `schemas` describe the tools; `search_tools`, `reading`, `listings` and `resources` answer them, with
the services that REST uses. None of these knows the protocol: that is the official SDK's, which only `sdk_server` and
`endpoint` import, when the first request comes. `bin/semantik-mcp` passes calls on to this server.
"""
