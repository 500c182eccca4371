//! Does in its folders what it is asked, and says how that ended. The message is the request:
//! `folders`, or an operation, a folder and a path, separated by spaces.

#![cfg(target_family = "wasm")]

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod component {
    wit_bindgen::generate!({
        world: "guests:opens-folders/opens-folders",
        path: ["../../../wit/skill", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};
use component::wasi::filesystem::{
    preopens,
    types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags},
};

impl handler::Guest for component::Guest {
    fn run(invocation: Invocation) -> Result<Outcome, Error> {
        let request = invocation.message.unwrap_or_default();
        let folders = preopens::get_directories();
        let mut words = request.split(' ');
        let (operation, folder, path) = (words.next(), words.next(), words.next());
        let answer = match (operation, folder, path) {
            (Some("folders"), ..) => {
                let names: Vec<&str> = folders.iter().map(|(_, name)| name.as_str()).collect();
                names.join(",")
            }
            (Some(operation), Some(folder), Some(path)) => {
                match folders.iter().find(|(_, name)| name == folder) {
                    Some((folder, _)) => match act(operation, folder, path) {
                        Ok(text) => text,
                        Err(code) => format!("{code:?}"),
                    },
                    None => "no such folder".to_owned(),
                }
            }
            _ => return Err(Error::Invalid("say what to do".to_owned())),
        };
        Ok(Outcome::Done(answer))
    }
}

fn act(operation: &str, folder: &Descriptor, path: &str) -> Result<String, ErrorCode> {
    let none = OpenFlags::empty();
    let follow = PathFlags::SYMLINK_FOLLOW;
    let read = |file: &Descriptor| {
        let (bytes, _) = file.read(4096, 0)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let write = |file: &Descriptor| file.write(b"written", 0).map(|_| "ok".to_owned());
    let ok = |()| "ok".to_owned();
    match operation {
        "read" => read(&folder.open_at(follow, path, none, DescriptorFlags::READ)?),
        // As a program that trusts its flags alone.
        "read-nofollow" => {
            let flags = PathFlags::empty();
            read(&folder.open_at(flags, path, none, DescriptorFlags::READ)?)
        }
        "write" => {
            let flags = DescriptorFlags::WRITE;
            write(&folder.open_at(follow, path, OpenFlags::CREATE, flags)?)
        }
        "truncate" => {
            let flags = DescriptorFlags::WRITE;
            write(&folder.open_at(follow, path, OpenFlags::TRUNCATE, flags)?)
        }
        "mkdir" => folder.create_directory_at(path).map(ok),
        "unlink" => folder.unlink_file_at(path).map(ok),
        // Out of the folder, under a name that leads back.
        "rename-out" => folder.rename_at(path, folder, "../stolen.md").map(ok),
        "link-in" => folder
            .link_at(PathFlags::empty(), path, folder, "linked.md")
            .map(ok),
        "symlink" => folder.symlink_at(path, "made-link").map(ok),
        _ => Err(ErrorCode::Unsupported),
    }
}
