//! [`CountedModel`]: a model whose tokens are counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use platinum_llm::{Completion, LlmError, Model, Request};

/// What a model has read and written, as its provider counts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
}

/// A model whose tokens are counted.
pub(super) struct CountedModel {
    model: Arc<dyn Model>,
    input: AtomicU64,
    output: AtomicU64,
}

impl CountedModel {
    pub(super) fn new(model: Arc<dyn Model>) -> Self {
        Self {
            model,
            input: AtomicU64::new(0),
            output: AtomicU64::new(0),
        }
    }

    pub(super) fn tokens(&self) -> Tokens {
        Tokens {
            input: self.input.load(Ordering::Relaxed),
            output: self.output.load(Ordering::Relaxed),
        }
    }
}

#[async_trait]
impl Model for CountedModel {
    async fn complete(&self, request: Request) -> Result<Completion, LlmError> {
        let completion = self.model.complete(request).await?;
        self.input
            .fetch_add(completion.input_tokens, Ordering::Relaxed);
        self.output
            .fetch_add(completion.output_tokens, Ordering::Relaxed);
        Ok(completion)
    }

    fn name(&self) -> &str {
        self.model.name()
    }
}
