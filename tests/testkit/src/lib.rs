//! Real servers on loopback, vaults and remotes for tests.
