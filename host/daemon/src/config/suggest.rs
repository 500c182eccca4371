//! Turns the error of an unknown key into a sentence with a suggestion.

/// Rewords serde's "unknown field `x`, expected one of `a`, `b`"; other errors stay as they are.
pub(super) fn explain(error: &str) -> String {
    let Some((_, rest)) = error.split_once("unknown field `") else {
        return error.trim().to_owned();
    };
    let mut quoted = rest.split('`').step_by(2);
    let Some(unknown) = quoted.next() else {
        return error.trim().to_owned();
    };
    let nearest = quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .filter(|(distance, known)| *distance <= known.len().max(unknown.len()) / 2)
        .min();
    match nearest {
        Some((_, known)) => format!("there is no key `{unknown}`; did you mean `{known}`?"),
        None => format!("there is no key `{unknown}`; the defaults list every key there is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_key_is_suggested() {
        let error = "unknown field `evry-seconds`, expected one of `remote`, `every-seconds`";
        assert_eq!(
            explain(error),
            "there is no key `evry-seconds`; did you mean `every-seconds`?"
        );
        let error = "unknown field `zzzzzzzz`, expected one of `remote`, `every-seconds`";
        assert_eq!(
            explain(error),
            "there is no key `zzzzzzzz`; the defaults list every key there is"
        );
    }
}
