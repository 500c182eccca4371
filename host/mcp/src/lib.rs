//! MCP client: sessions, tool lists, typed calls.
