//! Loops, task pipeline, sync driver, supervisor.
