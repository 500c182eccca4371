//! File system events as wake-ups that carry no data.
