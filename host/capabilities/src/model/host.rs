//! The host side of `model/complete`.

use platinum_llm::{LlmError, Part as LlmPart, Request as LlmRequest};

use super::ModelCtx;
use crate::{
    bindings::platinum::model::complete::{Completion, Error, Host, Part, Request},
    text::cut,
};

/// Longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 128 * 1024;

impl Host for ModelCtx {
    async fn complete(&mut self, request: Request) -> wasmtime::Result<Result<Completion, Error>> {
        let request = request_for_llm(request);
        if let Err(error) = request.check() {
            return Ok(Err(model_error(error)));
        }
        Ok(match self.model.complete(request).await {
            Ok(answer) => Ok(Completion {
                truncated: answer.truncated || answer.text.len() > MAX_ANSWER_BYTES,
                text: cut(&answer.text, MAX_ANSWER_BYTES),
                model: answer.model,
            }),
            Err(error) => Err(model_error(error)),
        })
    }
}

/// The request as `llm` takes it, which checks its bounds.
fn request_for_llm(request: Request) -> LlmRequest {
    let parts = request
        .parts
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => LlmPart::Say(text),
            Part::Quote(quoted) => LlmPart::Quote {
                label: quoted.label,
                text: quoted.text,
            },
        })
        .collect();
    LlmRequest {
        instructions: request.instructions,
        parts,
        max_tokens: request.max_tokens,
    }
}

fn model_error(error: LlmError) -> Error {
    match error {
        LlmError::BudgetExhausted { renews, .. } => Error::BudgetExhausted(renews.to_string()),
        LlmError::Invalid(what) => Error::Invalid(what),
        LlmError::Refused(what) => Error::Refused(what),
        LlmError::Unavailable(what) => Error::Unavailable(what),
    }
}
