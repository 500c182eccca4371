//! The host side of `skill/context` and `skill/log`.

use platinum_core::{Role, text::one_line};

use super::{ContextCtx, LINE_CHARS, LogCtx};
use crate::bindings::platinum::skill::{context, log, types};

impl context::Host for ContextCtx {
    async fn instructions(&mut self) -> wasmtime::Result<String> {
        Ok(self.instructions.to_string())
    }

    async fn agent(&mut self) -> wasmtime::Result<String> {
        Ok(self.agent.to_string())
    }

    async fn role(&mut self) -> wasmtime::Result<types::Role> {
        Ok(match self.role {
            Role::Cloud => types::Role::Cloud,
            Role::Local => types::Role::Local,
        })
    }

    async fn zones(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.zones.iter().map(ToString::to_string).collect())
    }

    async fn now(&mut self) -> wasmtime::Result<String> {
        Ok(self.now.to_string())
    }
}

impl log::Host for LogCtx {
    async fn line(&mut self, level: log::Level, text: String) -> wasmtime::Result<()> {
        let Some(left) = self.lines_left.checked_sub(1) else {
            return Ok(());
        };
        self.lines_left = left;
        let skill = self.skill.as_str();
        // A skill's words may hold anything: control characters would forge lines of the log.
        let line = one_line(&text, LINE_CHARS);
        match level {
            log::Level::Debug => tracing::debug!(skill, "{line}"),
            log::Level::Info => tracing::info!(skill, "{line}"),
            log::Level::Warn => tracing::warn!(skill, "{line}"),
            log::Level::Error => tracing::error!(skill, "{line}"),
        }
        if left == 0 {
            tracing::warn!(
                skill,
                "The skill has logged all the lines one run may; the rest is dropped."
            );
        }
        Ok(())
    }
}
