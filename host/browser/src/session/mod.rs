//! A browser for one payment: what it is called with in `browser`, how it is started in `launch`, how it ends in
//! `processes`.

mod browser;
mod launch;
mod processes;

pub(crate) use browser::BrowserSession;
pub(crate) use launch::step_seconds;
