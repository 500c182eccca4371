//! Tests of notes.
