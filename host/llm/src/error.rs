//! [`LlmError`]: why there is no completion, in the four kinds the contract knows.

use jiff::Timestamp;

/// Why there is no completion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlmError {
    /// The request breaks a rule of [`crate::Request`].
    #[error("the request cannot be sent: {0}")]
    Invalid(String),
    /// The day's tokens are used up.
    #[error("the budget of {budget} tokens a day is used up ({used} used); it renews at {renews}")]
    BudgetExhausted {
        /// Tokens a day.
        budget: u64,
        /// Tokens used today.
        used: u64,
        /// When there are new ones.
        renews: Timestamp,
    },
    /// The provider is away, slow or talks nonsense; try again later.
    #[error("the model is not available: {0}")]
    Unavailable(String),
    /// The provider refuses this request; trying again does not help.
    #[error("the provider refuses: {0}")]
    Refused(String),
}
