//! Tests of the claim machine.
