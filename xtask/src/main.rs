//! The task runner: demo, test, skills, bench.

fn main() {}
