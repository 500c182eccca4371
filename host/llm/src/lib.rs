//! Completion providers behind one trait, [`Model`]: [`Anthropic`], [`OpenAi`] (and with it Ollama,
//! llama.cpp and vLLM), and [`Builtin`], which needs no key and no network.
//!
//! Lives here: what is sent and how answers read, quoting of foreign text, retries, keys, the
//! day's budget. Lives elsewhere: the `model/complete` interface of skills is in `capabilities`.
//! Invariants: foreign text is always fenced as data; answers are bounded; a key is never shown.

mod anthropic;
mod builtin;
mod config;
mod error;
mod http;
mod key;
mod metered;
mod model;
mod openai;
mod quoting;

pub use anthropic::{ANTHROPIC_URL, Anthropic};
pub use builtin::{BUILTIN_MARKER, Builtin};
pub use config::{ConfigError, LlmConfig, ProviderKind, build};
pub use error::LlmError;
pub use http::Retry;
pub use key::{KeyError, KeySource, Secret};
pub use metered::{MeterError, Metered};
pub use model::{Completion, MAX_REQUEST_BYTES, MAX_TOKENS, Model, Part, Request};
pub use openai::{OPENAI_URL, OpenAi};
