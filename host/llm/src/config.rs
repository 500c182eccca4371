//! [`LlmConfig`]: the `[model]` table of the configuration, and the provider that follows from it.

use std::{num::NonZeroU64, path::Path, sync::Arc, time::Duration};

use serde::Deserialize;

use crate::{
    ANTHROPIC_URL, Anthropic, Builtin, KeyError, KeySource, MeterError, Metered, Model, OPENAI_URL,
    OpenAi, Retry,
};

/// The providers there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// The deterministic drafter: no key, no network, no model.
    #[default]
    Builtin,
    /// The Messages API.
    Anthropic,
    /// Chat completions of OpenAI or of a compatible server.
    #[serde(rename = "openai")]
    OpenAi,
}

/// Which model completes, and at what cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LlmConfig {
    /// Who is asked.
    pub provider: ProviderKind,
    /// The model's name at the provider; needed unless the provider is `builtin`.
    pub model: Option<String>,
    /// The API's address, for compatible servers: `http://127.0.0.1:11434/v1` is Ollama's.
    pub base_url: Option<String>,
    /// Where the key is kept.
    pub key: Option<KeySource>,
    /// Tokens a UTC day, read and written together.
    pub daily_tokens: NonZeroU64,
    /// How long one attempt may take.
    pub timeout_seconds: NonZeroU64,
}

impl Default for LlmConfig {
    fn default() -> Self {
        const TOKENS: NonZeroU64 = NonZeroU64::new(500_000).unwrap();
        const SECONDS: NonZeroU64 = NonZeroU64::new(120).unwrap();
        Self {
            provider: ProviderKind::Builtin,
            model: None,
            base_url: None,
            key: None,
            daily_tokens: TOKENS,
            timeout_seconds: SECONDS,
        }
    }
}

/// The configuration names no usable provider.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No model is named.
    #[error("`model` is missing: name the model that the provider `{0}` is to use")]
    NoModel(&'static str),
    /// A provider over the network that cannot do without a key has none.
    #[error("`key` is missing: {0} needs one, for example key = {{ env = \"{1}\" }}")]
    NoKey(&'static str, &'static str),
    /// The address cannot be used.
    #[error("the base-url `{url}` cannot be used: {why}")]
    BaseUrl {
        /// The address.
        url: String,
        /// Why not.
        why: String,
    },
    /// The key cannot be a header's value.
    #[error("the key holds a character that cannot be sent")]
    Key,
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
    /// The key cannot be read.
    #[error(transparent)]
    KeyRead(#[from] KeyError),
    /// The budget's file cannot be used.
    #[error(transparent)]
    Meter(#[from] MeterError),
}

impl LlmConfig {
    /// Makes the provider. Those over the network are metered, with the day's count kept in the
    /// file `meter`. Reads the key, so it may touch files and the keyring.
    ///
    /// # Errors
    /// If a setting is missing or wrong, or the key or the file cannot be read.
    pub fn open(&self, meter: &Path) -> Result<Arc<dyn Model>, ConfigError> {
        let provider = self.provider()?;
        if self.provider == ProviderKind::Builtin {
            return Ok(Arc::from(provider));
        }
        Ok(Arc::new(Metered::open(
            provider,
            self.daily_tokens.get(),
            meter,
        )?))
    }

    /// Tries the settings and reads the key, and gives the provider's name. Sends nothing and
    /// counts nothing.
    ///
    /// # Errors
    /// As [`LlmConfig::open`].
    pub fn check(&self) -> Result<String, ConfigError> {
        Ok(self.provider()?.name().to_owned())
    }

    fn provider(&self) -> Result<Box<dyn Model>, ConfigError> {
        let model = |provider| self.model.as_deref().ok_or(ConfigError::NoModel(provider));
        let key = self.key.as_ref().map(KeySource::load).transpose()?;
        let timeout = Duration::from_secs(self.timeout_seconds.get());
        let base = |own: &'static str| self.base_url.as_deref().unwrap_or(own);
        let retry = Retry::default();
        Ok(match self.provider {
            ProviderKind::Builtin => Box::new(Builtin),
            ProviderKind::Anthropic => {
                let base = base(ANTHROPIC_URL);
                if key.is_none() && base == ANTHROPIC_URL {
                    return Err(ConfigError::NoKey("Anthropic", "ANTHROPIC_API_KEY"));
                }
                Box::new(Anthropic::new(
                    base,
                    model("anthropic")?,
                    key.as_ref(),
                    timeout,
                    retry,
                )?)
            }
            ProviderKind::OpenAi => {
                let base = base(OPENAI_URL);
                if key.is_none() && base == OPENAI_URL {
                    return Err(ConfigError::NoKey("OpenAI", "OPENAI_API_KEY"));
                }
                Box::new(OpenAi::new(
                    base,
                    model("openai")?,
                    key.as_ref(),
                    timeout,
                    retry,
                )?)
            }
        })
    }
}

/// The file in a host's state folder that keeps the day's count.
const METER_FILE: &str = "model-tokens.json";

/// Makes the provider of a host whose private folder is `state`. Touches files: the key's, and
/// the day's count of tokens.
///
/// # Errors
/// As [`LlmConfig::open`].
pub fn build(config: &LlmConfig, state: &Path) -> Result<Arc<dyn Model>, ConfigError> {
    config.open(&state.join(METER_FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<LlmConfig, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn empty_config_selects_the_builtin_drafter() {
        let config = read("{}").unwrap();
        assert_eq!(config, LlmConfig::default());
        assert_eq!(
            config.open(Path::new("/nowhere/meter")).unwrap().name(),
            "builtin"
        );
    }

    #[test]
    fn config_unknown_setting_is_an_error() {
        let config = read(
            r#"{"provider":"openai","model":"m","base-url":"http://127.0.0.1:1/v1",
                "key":{"env":"K"},"daily-tokens":9,"timeout-seconds":3}"#,
        )
        .unwrap();
        assert_eq!(config.provider, ProviderKind::OpenAi);
        assert_eq!(config.key, Some(KeySource::Env("K".to_owned())));
        for bad in [
            r#"{"api-key":"sk-1"}"#,
            r#"{"provider":"gpt"}"#,
            r#"{"key":{"inline":"sk-1"}}"#,
            r#"{"daily-tokens":0}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn config_missing_setting_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let meter = folder.path().join("meter");
        let fails = |json: &str| {
            read(json)
                .unwrap()
                .open(&meter)
                .map(|model| model.name().to_owned())
                .unwrap_err()
                .to_string()
        };
        assert!(
            fails(r#"{"provider":"anthropic","model":"m"}"#)
                .contains("env = \"ANTHROPIC_API_KEY\"")
        );
        assert!(
            fails(r#"{"provider":"openai","base-url":"http://127.0.0.1:1"}"#)
                .contains("`model` is missing")
        );
    }

    #[test]
    fn local_server_needs_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let config =
            read(r#"{"provider":"openai","model":"m","base-url":"http://127.0.0.1:1/v1"}"#);
        let model = config.unwrap().open(&folder.path().join("meter")).unwrap();
        assert_eq!(model.name(), "openai m");
    }
}
