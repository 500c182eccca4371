//! WhatsApp's official Cloud API over HTTPS.
//!
//! Lives here: what is sent, uploaded and listed, in `api`; one call of it in `call`; what its answer means in `answer`.

mod answer;
mod api;
mod call;

pub use api::CloudApi;
pub use call::CallLimits;
