//! [`Pipeline`]: the way of a task through the skills. Its steps are in `steps`.

mod steps;

pub use steps::Pipeline;
