//! [`seed`]: where a test's random choices come from, so that a failure can be played again.

/// Sets the seed of a test that is to be played again.
pub const SEED_VARIABLE: &str = "PLATINUM_SEED";

/// The seed of a random test, printed with the way to play it again: that of [`SEED_VARIABLE`], else a new one.
/// A failed test shows what it printed.
///
/// # Panics
/// If the variable is not a number.
#[must_use]
#[expect(
    clippy::panic,
    reason = "a test that is to be played again must not play something else"
)]
pub fn seed() -> u64 {
    let given = std::env::var(SEED_VARIABLE).ok();
    let seed = given.map_or_else(rand::random, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{SEED_VARIABLE} is not a number: {text}"))
    });
    println!("The seed is {seed}; {SEED_VARIABLE}={seed} plays it again.");
    seed
}
