//! Tests of the path table.
