//! Phones and other devices that push to the remote with plain git: held by default, taken over by
//! key, and harmless in what they may not.

mod held;
mod member;
mod phone;
