//! MCP server for mail that can search and draft, and cannot send.
