//! Durable intents and receipts.
