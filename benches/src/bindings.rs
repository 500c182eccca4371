//! The base world, for the host function calls that both the bare and our contender answer.

wasmtime::component::bindgen!({
    path: ["../wit/skill"],
    world: "platinum:skill/base",
    imports: { default: async | trappable },
    exports: { default: async },
});

use platinum::skill::{context, log, types};
use wasmtime::component::HasData;

/// Marks the view below for the linker.
pub(crate) struct Answers;

/// What answers the host calls.
pub(crate) struct View<'a>(pub(crate) &'a str);

impl HasData for Answers {
    type Data<'a> = View<'a>;
}

impl context::Host for View<'_> {
    async fn instructions(&mut self) -> wasmtime::Result<String> {
        Ok(String::new())
    }
    async fn agent(&mut self) -> wasmtime::Result<String> {
        Ok(self.0.to_owned())
    }
    async fn role(&mut self) -> wasmtime::Result<types::Role> {
        Ok(types::Role::Cloud)
    }
    async fn zones(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn now(&mut self) -> wasmtime::Result<String> {
        Ok("1970-01-01T00:00:00Z".to_owned())
    }
}

impl log::Host for View<'_> {
    async fn line(&mut self, _level: log::Level, _text: String) -> wasmtime::Result<()> {
        Ok(())
    }
}
