"""What editors need: tables of tokens for highlighting, and the language server."""
