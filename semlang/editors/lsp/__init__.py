"""The language server: `server` speaks the protocol, every other module is one thing an editor can ask."""
