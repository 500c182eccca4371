//! Who may what: role x capability, role x path.
