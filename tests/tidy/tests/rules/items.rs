//! [`items`]: the types, functions and modules that a source file defines, read as tokens.
//!
//! Lives elsewhere: what their names may be is in `words`, what their attributes mean in `acting`.
//! Comments, strings and uses of a name are not definitions; macros' arguments are read, too.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `fn`, free or associated.
    Function,
    /// `mod`.
    Module,
    /// `struct`, `enum`, `trait` or a free `type`.
    Type,
}

/// One definition.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Its attributes, the text between the brackets.
    pub(crate) attributes: Vec<TokenStream>,
    /// Whether it is under `#[cfg(test)]` or is a test.
    pub(crate) in_test: bool,
}

impl Item {
    /// Whether it is a test function.
    pub(crate) fn is_test(&self) -> bool {
        self.kind == Kind::Function && self.attributes.iter().any(is_test_attribute)
    }
}

/// The definitions of a source file, in their order.
pub(crate) fn items(source: &str) -> Vec<Item> {
    let tokens: TokenStream = source
        .parse()
        .unwrap_or_else(|error| panic!("not Rust: {error}: {}", &source[..source.len().min(80)]));
    let mut items = vec![];
    collect(tokens, false, false, &mut items);
    items
}

/// `#[test]`, `#[tokio::test(…)]`.
fn is_test_attribute(attribute: &TokenStream) -> bool {
    let mut tokens = attribute.clone().into_iter();
    let mut last = None;
    for token in tokens.by_ref() {
        match token {
            TokenTree::Ident(name) => last = Some(name.to_string()),
            TokenTree::Punct(colon) if colon.as_char() == ':' => {}
            _ => break,
        }
    }
    last.as_deref() == Some("test")
}

/// `#[cfg(test)]`, alone or within `all(…)`.
fn is_test_only(attribute: &TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text.starts_with("cfg(test") || text.starts_with("cfg(all(test")
}

fn collect(tokens: TokenStream, in_test: bool, is_associated: bool, items: &mut Vec<Item>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut attributes = vec![];
    // Of the block that comes next.
    let (mut body_in_test, mut body_is_associated, mut has_keyword) = (in_test, false, false);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) => {
                let word = word.to_string();
                if matches!(word.as_str(), "impl" | "trait") && !has_keyword {
                    body_is_associated = true;
                    body_in_test |= attributes.iter().any(is_test_only);
                }
                let kind = match word.as_str() {
                    "fn" => Kind::Function,
                    "mod" => Kind::Module,
                    "struct" | "enum" | "trait" => Kind::Type,
                    "type" if !is_associated => Kind::Type,
                    "impl" => {
                        has_keyword = true;
                        continue;
                    }
                    _ => continue,
                };
                let Some(TokenTree::Ident(name)) = tokens.get(at + 1) else {
                    continue;
                };
                has_keyword = true;
                let attributes = std::mem::take(&mut attributes);
                body_in_test |= attributes
                    .iter()
                    .any(|attribute| is_test_only(attribute) || is_test_attribute(attribute));
                items.push(Item {
                    kind,
                    name: name.to_string(),
                    line: name.span().start().line,
                    attributes,
                    in_test: body_in_test,
                });
            }
            TokenTree::Group(group) => {
                let is_attribute = group.delimiter() == Delimiter::Bracket
                    && matches!(at.checked_sub(1).map(|before| &tokens[before]),
                        Some(TokenTree::Punct(hash)) if hash.as_char() == '#');
                if is_attribute {
                    attributes.push(group.stream());
                    continue;
                }
                collect(group.stream(), body_in_test, body_is_associated, items);
                if group.delimiter() == Delimiter::Brace {
                    attributes.clear();
                    (body_in_test, body_is_associated, has_keyword) = (in_test, false, false);
                }
            }
            TokenTree::Punct(end) if end.as_char() == ';' => {
                attributes.clear();
                (body_in_test, body_is_associated, has_keyword) = (in_test, false, false);
            }
            _ => {}
        }
    }
}

#[test]
fn items_of_a_file_are_its_definitions_alone() {
    let source = r#"
        //! fn comment() {}
        pub struct Host;
        impl Iterator for Host {
            type Item = u8;
            fn next(&mut self) -> Option<u8> { fn inner() {} let text = "fn string()"; None }
        }
        type Short = Host;
        fn takes(call: impl Fn(u8), pointer: fn(u8)) -> Short { struct Local; Host }
        #[cfg(test)]
        mod tests {
            fn helper() {}
            #[tokio::test(start_paused = true)]
            async fn host_runs() {}
        }
        proptest! { #[test] fn property(x in 0..3) {} }
    "#;
    let found = items(source);
    let names = |wanted: fn(&Item) -> bool| -> Vec<&str> {
        let chosen = found.iter().filter(|item| wanted(item));
        chosen.map(|item| item.name.as_str()).collect()
    };
    assert_eq!(
        names(|item| item.kind == Kind::Type),
        ["Host", "Short", "Local"]
    );
    assert_eq!(
        names(|item| item.kind == Kind::Function),
        ["next", "inner", "takes", "helper", "host_runs", "property"]
    );
    assert_eq!(names(Item::is_test), ["host_runs", "property"]);
    assert_eq!(
        names(|item| item.in_test),
        ["tests", "helper", "host_runs", "property"]
    );
    assert_eq!(found[0].line, 3);
}
