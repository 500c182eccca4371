//! Tests of the merge plan.
