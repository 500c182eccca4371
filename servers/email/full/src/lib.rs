//! MCP server for mail that can also send.
