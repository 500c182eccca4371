//! What of an address is its origin.
//!
//! Invariant: pure; what is not plainly `https://host` or `https://host:port` has none.

/// `host:port` of an address, and how much of it is its origin.
pub(super) fn origin_of(url: &str) -> Option<(String, usize)> {
    let rest = url.strip_prefix("https://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok().filter(|port| *port != 0)?),
        None => (authority, 443),
    };
    let is_host = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
        });
    is_host.then(|| (format!("{host}:{port}"), "https://".len() + end))
}
