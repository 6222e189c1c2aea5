"""The commands behind the scripts in `bin/`: each parses its arguments, calls the services and prints the result."""

# Each module has `main(argv)`, which returns the exit status, and `parser()`.
COMMANDS = {
    "server": ("semantik.commands.server", "Run the server."),
    "worker": ("semantik.commands.worker", "Read, recognise and embed for servers on other machines."),
    "demo": ("semantik.commands.demo", "Start a server, index a folder and search it."),
    "search": ("semantik.commands.search", "Search the documents of a running server."),
    "index": ("semantik.commands.index", "Have a running server index a folder, and show the progress."),
    "watch": ("semantik.commands.watch", "Follow the operations of a running server, live."),
    "status": ("semantik.commands.status", "Show the servers, the queue, the stores and the collections."),
    "extract": ("semantik.commands.extract", "Print what is read of a file, without a server."),
    "eval": ("semantik.commands.eval", "Measure how well queries find what they should."),
    "reindex": ("semantik.commands.reindex", "Split and embed collections again."),
    "user": ("semantik.commands.user", "Create, change and list users."),
    "audit": ("semantik.commands.audit", "Show the audit trail."),
    "backup": ("semantik.commands.backup", "Save the stores, or restore them."),
    "cleanup": ("semantik.commands.cleanup", "Find what is left over or inconsistent, and repair it."),
    "components": ("semantik.commands.components", "List what this installation is made of."),
    "mcp": (
        "semantik.commands.mcp",
        "Let an assistant use a running server, over standard input and output.",
    ),
    "completion": ("semantik.commands.completion", "Print the completion script of a shell."),
}
