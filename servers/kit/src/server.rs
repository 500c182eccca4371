//! [`Server`]: a service and the [`Tools`] over it, as an MCP server.
//!
//! A server that acts adds its tools to those of the server that only drafts: it is given the same
//! [`Tools`] for its own service, so that names, descriptions and schemas cannot differ.

use std::{fmt::Display, sync::Arc};

use platinum_text::one_line;
use rmcp::{
    Json, ServerHandler,
    handler::server::{
        common::{FromContextPart as _, schema_for_input, schema_for_output},
        router::tool::{ToolRoute, ToolRouter},
        tool::{IntoCallToolResult as _, ToolCallContext},
        wrapper::Parameters,
    },
    model::{Implementation, ServerCapabilities, ServerConfig, Tool, ToolAnnotations},
    tool_handler,
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::schema::portable;

/// The most characters of an error in an answer: it may hold words of another server.
const MAX_ERROR_CHARS: usize = 2000;

/// Tools of a server over the service `S`.
#[derive(Debug)]
pub struct Tools<S> {
    router: ToolRouter<Server<S>>,
}

/// An MCP server. Its clones are the same server, one for each session.
#[derive(Debug)]
pub struct Server<S> {
    service: Arc<S>,
    tools: Arc<Tools<S>>,
    about: ServerConfig,
}

impl<S> Clone for Server<S> {
    fn clone(&self) -> Self {
        Self {
            service: Arc::clone(&self.service),
            tools: Arc::clone(&self.tools),
            about: self.about.clone(),
        }
    }
}

/// A tool cannot be offered: the schema of what it takes cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("tool `{name}`: {reason}")]
pub struct ToolError {
    name: &'static str,
    reason: String,
}

/// What a tool may do, and so which hints its clients get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads from outside and changes nothing.
    Reads,
    /// Saves a draft that the owner alone sees.
    Drafts,
    /// Acts on the outside world. A crate with such a tool says
    /// `[package.metadata.platinum] acts = true`.
    Acts,
}

/// A tool as its clients see it, the schemas aside.
#[derive(Debug, Clone, Copy)]
pub struct ToolSpec {
    /// The name it is called by.
    pub name: &'static str,
    /// The name that is shown.
    pub title: &'static str,
    /// What it does, for the model that may call it.
    pub description: &'static str,
    /// What it may do.
    pub access: Access,
}

impl ToolSpec {
    fn annotations(&self) -> ToolAnnotations {
        // Read-only, destructive, idempotent, open world.
        let [reads, destroys, repeats, open] = match self.access {
            Access::Reads => [true, false, true, true],
            Access::Drafts => [false, false, false, false],
            Access::Acts => [false, true, false, true],
        };
        ToolAnnotations::from_raw(
            Some(self.title.to_owned()),
            Some(reads),
            Some(destroys),
            Some(repeats),
            Some(open),
        )
    }
}

impl<S: Send + Sync + 'static> Tools<S> {
    /// No tools yet.
    #[must_use]
    pub fn none() -> Self {
        Self {
            router: ToolRouter::new(),
        }
    }

    /// Adds a tool. `call` answers, or fails with an error whose text goes to the client.
    ///
    /// # Errors
    /// If there is no schema of what it takes.
    pub fn with<A, R, E, F>(
        mut self,
        spec: ToolSpec,
        call: impl Fn(Arc<S>, A) -> F + Send + Sync + 'static,
    ) -> Result<Self, ToolError>
    where
        A: DeserializeOwned + JsonSchema + 'static,
        R: Serialize + JsonSchema + 'static,
        E: Display,
        F: Future<Output = Result<R, E>> + Send + 'static,
    {
        let name = spec.name;
        let input = schema_for_input::<A>().map_err(|reason| ToolError { name, reason })?;
        let tool = Tool::new_with_raw(name, Some(spec.description.into()), portable(&input))
            .with_raw_output_schema(portable(&schema_for_output::<R>()))
            .with_annotations(spec.annotations());
        self.router.add_route(ToolRoute::new_dyn(
            tool,
            move |mut context: ToolCallContext<'_, Server<S>>| {
                let arguments = Parameters::<A>::from_context_part(&mut context);
                let service = &context.service.service;
                let answer =
                    arguments.map(|Parameters(arguments)| call(service.clone(), arguments));
                Box::pin(async move {
                    let answer = answer?
                        .await
                        .map(Json)
                        .map_err(|error| one_line(&error.to_string(), MAX_ERROR_CHARS));
                    answer.into_call_tool_result()
                })
            },
        ));
        Ok(self)
    }
}

impl<S: Send + Sync + 'static> Server<S> {
    /// A server of this name; `instructions` tell a model what it is for.
    #[must_use]
    pub fn new(name: &str, instructions: &str, service: S, tools: Tools<S>) -> Self {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        Self {
            service: Arc::new(service),
            tools: Arc::new(tools),
            about: ServerConfig::new(capabilities)
                .with_server_info(Implementation::new(name, env!("CARGO_PKG_VERSION")))
                .with_instructions(instructions),
        }
    }
}

#[tool_handler(router = self.tools.router)]
impl<S: Send + Sync + 'static> ServerHandler for Server<S> {
    fn get_info(&self) -> ServerConfig {
        self.about.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_follow_the_access_of_a_tool() {
        let hints = |access| {
            let spec = ToolSpec {
                name: "x",
                title: "X",
                description: "",
                access,
            };
            let hints = spec.annotations();
            assert_eq!(hints.title.as_deref(), Some("X"));
            (hints.read_only_hint, hints.destructive_hint)
        };
        assert_eq!(hints(Access::Reads), (Some(true), Some(false)));
        assert_eq!(hints(Access::Drafts), (Some(false), Some(false)));
        assert_eq!(hints(Access::Acts), (Some(false), Some(true)));
    }
}
