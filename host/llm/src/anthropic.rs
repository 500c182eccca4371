//! [`Anthropic`]: the Messages API.

use std::time::Duration;

use async_trait::async_trait;
use platinum_core::text::one_line;
use serde_json::{Value, json};

use crate::{
    Completion, ConfigError, LlmError, Model, Request, Retry, Secret,
    http::{Endpoint, KeyHeader},
    openai::counted,
    quoting::{self, Prompt},
};

/// Where the API is, unless configured otherwise.
pub const ANTHROPIC_URL: &str = "https://api.anthropic.com";
/// The revision of the API that is spoken.
const VERSION: &str = "2023-06-01";

/// A model behind the Messages API.
#[derive(Debug)]
pub struct Anthropic {
    endpoint: Endpoint,
    model: String,
    name: String,
}

impl Anthropic {
    /// The model `model` at `base_url`.
    ///
    /// # Errors
    /// If the address cannot be used.
    pub fn new(
        base_url: &str,
        model: &str,
        key: Option<&Secret>,
        timeout: Duration,
        retry: Retry,
    ) -> Result<Self, ConfigError> {
        let key = key.map(|key| (key, KeyHeader::ApiKey));
        let endpoint = Endpoint::new(base_url, "/v1/messages", key, timeout, retry)?
            .with_header("anthropic-version", VERSION);
        Ok(Self {
            endpoint,
            model: model.to_owned(),
            name: format!("anthropic {model}"),
        })
    }

    fn body(&self, prompt: &Prompt, max_tokens: u32) -> Value {
        let mut body = json!({
            "model": self.model,
            "max_tokens": max_tokens,
            "messages": [{ "role": "user", "content": prompt.content }],
        });
        if !prompt.system.is_empty() {
            body["system"] = Value::String(prompt.system.clone());
        }
        body
    }
}

#[async_trait]
impl Model for Anthropic {
    async fn complete(&self, request: Request) -> Result<Completion, LlmError> {
        request.check()?;
        let prompt = quoting::render(&request);
        let answer = self
            .endpoint
            .post(&self.body(&prompt, request.max_tokens))
            .await?;
        Ok(counted(read(&answer, &self.model)?, &prompt))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn read(answer: &Value, asked: &str) -> Result<Completion, LlmError> {
    let blocks = answer["content"].as_array().ok_or_else(|| {
        LlmError::Unavailable("the answer is no message: it has no `content`".to_owned())
    })?;
    let stop = answer["stop_reason"].as_str().unwrap_or_default();
    if stop == "refusal" {
        return Err(LlmError::Refused("the model declines to answer".to_owned()));
    }
    let texts = blocks
        .iter()
        .filter(|block| block["type"] == "text")
        .filter_map(|b| b["text"].as_str());
    let text = texts.collect::<String>();
    if text.trim().is_empty() {
        return Err(LlmError::Unavailable(format!(
            "the model answered without a text (stop reason `{}`)",
            one_line(stop, 40)
        )));
    }
    let usage = &answer["usage"];
    let read_tokens = [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
    ];
    Ok(Completion {
        text,
        model: one_line(answer["model"].as_str().unwrap_or(asked), 100),
        truncated: stop == "max_tokens" || stop == "model_context_window_exceeded",
        input_tokens: read_tokens
            .iter()
            .filter_map(|name| usage[name].as_u64())
            .fold(0, u64::saturating_add),
        output_tokens: usage["output_tokens"].as_u64().unwrap_or(0),
    })
}
