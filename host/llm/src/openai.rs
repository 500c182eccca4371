//! [`OpenAi`]: chat completions, as OpenAI, Ollama, llama.cpp and vLLM serve them.

use std::time::Duration;

use async_trait::async_trait;
use platinum_core::text::one_line;
use serde_json::{Value, json};

use crate::{
    Completion, ConfigError, LlmError, Model, Request, Retry, Secret,
    http::{Endpoint, KeyHeader},
    quoting::{self, Prompt},
};

/// Where the API is, unless configured otherwise. Ollama's is `http://127.0.0.1:11434/v1`.
pub const OPENAI_URL: &str = "https://api.openai.com/v1";

/// A model behind a chat completions API.
#[derive(Debug)]
pub struct OpenAi {
    endpoint: Endpoint,
    model: String,
    name: String,
    /// OpenAI's own newer models refuse `max_tokens`; the compatible servers know no other name.
    bound: &'static str,
}

impl OpenAi {
    /// The model `model` at `base_url`, which ends before `/chat/completions`.
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
        let key = key.map(|key| (key, KeyHeader::Bearer));
        let own = base_url.trim_end_matches('/') == OPENAI_URL;
        Ok(Self {
            endpoint: Endpoint::new(base_url, "/chat/completions", key, timeout, retry)?,
            model: model.to_owned(),
            name: format!("openai {model}"),
            bound: if own {
                "max_completion_tokens"
            } else {
                "max_tokens"
            },
        })
    }

    fn body(&self, prompt: &Prompt, max_tokens: u32) -> Value {
        let mut messages = Vec::new();
        if !prompt.system.is_empty() {
            messages.push(json!({ "role": "system", "content": prompt.system }));
        }
        messages.push(json!({ "role": "user", "content": prompt.content }));
        json!({ "model": self.model, "messages": messages, self.bound: max_tokens })
    }
}

#[async_trait]
impl Model for OpenAi {
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

/// The answer with its tokens estimated where the server counted none: a budget needs a number.
pub(crate) fn counted(mut completion: Completion, prompt: &Prompt) -> Completion {
    if completion.input_tokens == 0 {
        completion.input_tokens = estimate(prompt.system.len() + prompt.content.len());
    }
    if completion.output_tokens == 0 {
        completion.output_tokens = estimate(completion.text.len());
    }
    completion
}

/// Tokens of so many bytes, roughly, and rather too many.
pub(crate) fn estimate(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(3)).unwrap_or(u64::MAX)
}

/// What follows a model's thoughts, where a server leaves them in the text: `<think>…</think>`, or
/// the end alone, if the beginning was part of the prompt. Nothing, if they do not end.
fn without_thoughts(text: &str) -> &str {
    match text.rsplit_once("</think>") {
        Some((_, answer)) => answer.trim_start(),
        None if text.trim_start().starts_with("<think>") => "",
        None => text,
    }
}

fn read(answer: &Value, asked: &str) -> Result<Completion, LlmError> {
    let choice = answer["choices"].get(0).ok_or_else(|| {
        LlmError::Unavailable("the answer is no completion: it has no `choices`".to_owned())
    })?;
    let finish = choice["finish_reason"].as_str().unwrap_or_default();
    let message = &choice["message"];
    if let Some(why) = message["refusal"].as_str().filter(|why| !why.is_empty()) {
        return Err(LlmError::Refused(one_line(why, 300)));
    }
    if finish == "content_filter" {
        return Err(LlmError::Refused(
            "the provider's filter withheld the answer".to_owned(),
        ));
    }
    let text = without_thoughts(message["content"].as_str().unwrap_or_default());
    if text.trim().is_empty() {
        return Err(LlmError::Unavailable(format!(
            "the model answered without a text (finish reason `{}`)",
            one_line(finish, 40)
        )));
    }
    let usage = &answer["usage"];
    Ok(Completion {
        text: text.to_owned(),
        model: one_line(answer["model"].as_str().unwrap_or(asked), 100),
        truncated: finish == "length",
        input_tokens: usage["prompt_tokens"].as_u64().unwrap_or(0),
        output_tokens: usage["completion_tokens"].as_u64().unwrap_or(0),
    })
}
