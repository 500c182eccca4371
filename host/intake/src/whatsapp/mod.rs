//! WhatsApp: what people write becomes one task a burst.
//!
//! - [`source`]: the source, which receives the webhook, too;
//! - `burst`: which messages are one burst, and what becomes of it, pure;
//! - `note`: the task's note.
//!
//! Lives elsewhere: the webhook, its signature and the store are `platinum-whatsapp-store`'s.

mod burst;
mod note;
pub mod source;

pub use burst::Quietness;
pub use source::{MAX_WAITING, WhatsappSettings, WhatsappSource, WhatsappSourceError};
