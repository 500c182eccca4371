//! A program that does nothing but compile when it is asked to: the child of the tests of
//! `platinum-engine`.

fn main() {
    platinum_engine::compile_if_asked();
}
