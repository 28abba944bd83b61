//! Tests that the keys of cached facts change with everything that facts depend on, so that no
//! stale facts are used. The keys contain a hash of the code (`build.rs`) and a type id, which
//! changes with the versions of the dependencies.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../build.rs"]
#[expect(dead_code, clippy::print_stdout, reason = "the build script's `main` is for cargo")]
mod build;

/// The module that stores facts. Facts depend on the code of all modules that it uses.
const ROOT: &str = "src/summarize/facts_cache.rs";

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The test finds these modules by their `crate::` paths, so there is no list to maintain.
#[test]
fn every_source_that_facts_follow_from_changes_the_hash() {
    let reached = reached_sources();
    for known in [
        "src/python/facts.rs",
        "src/pyre/parser.rs",
        "src/pytext.rs",
        "src/text.rs",
        "src/error.rs",
    ] {
        assert!(reached.contains(Path::new(known)), "{known} is not reached: {reached:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    copy(crate_folder(), folder.path(), Path::new("src"));
    fs::copy(crate_folder().join("Cargo.toml"), folder.path().join("Cargo.toml")).unwrap();
    let before = build::sources(folder.path()).unwrap();
    assert_eq!(build::sources(folder.path()).unwrap(), before);
    for source in reached {
        let path = folder.path().join(&source);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, [&bytes[..], b" "].concat()).unwrap();
        assert_ne!(build::sources(folder.path()).unwrap(), before, "{source:?} is not hashed");
        fs::write(&path, bytes).unwrap();
    }
}

fn copy(from: &Path, to: &Path, name: &Path) {
    if from.join(name).is_dir() {
        fs::create_dir(to.join(name)).unwrap();
        for entry in from.join(name).read_dir().unwrap() {
            copy(from, to, &name.join(entry.unwrap().file_name()));
        }
    } else {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// Returns the source files of [`ROOT`] and of all modules that it uses directly or indirectly.
fn reached_sources() -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    let mut next = VecDeque::from([PathBuf::from(ROOT)]);
    while let Some(source) = next.pop_front() {
        let text = fs::read_to_string(crate_folder().join(&source)).unwrap();
        for name in names_after_crate(&text) {
            next.extend(sources_of(&name).into_iter().filter(|found| !reached.contains(found)));
        }
        reached.insert(source);
    }
    reached
}

/// Returns `a` and `b` for `crate::a::c` and for `use crate::{a, b::c}`. It also finds names in
/// comments, which does no harm.
fn names_after_crate(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => drop(names.insert(identifier(rest))),
            Some(list) => names.extend(first_names(list)),
        }
    }
    names.remove("");
    names
}

/// Returns the first name of each path in a list. The list may contain other lists.
fn first_names(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut begins) = (0, Vec::new(), true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && !c.is_whitespace() => {
                names.push(identifier(&list[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Returns the source files of a module, or of the module from which `lib.rs` exports `name`.
fn sources_of(name: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from("src").join(name);
    let file = folder.with_extension("rs");
    let mut sources = Vec::new();
    if crate_folder().join(&file).is_file() {
        sources.push(file);
    }
    if crate_folder().join(&folder).is_dir() {
        collect(&folder, &mut sources);
    }
    if sources.is_empty() {
        let library = fs::read_to_string(crate_folder().join("src/lib.rs")).unwrap();
        let taken = library.split("pub use ").skip(1).filter_map(|text| text.split_once(';'));
        for (path, _) in taken {
            let words: Vec<&str> = path.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            if words.contains(&name) {
                sources.extend(sources_of(words[0]));
            }
        }
    }
    sources
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in crate_folder().join(folder).read_dir().unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if crate_folder().join(&path).is_dir() {
            collect(&path, sources);
        } else {
            sources.push(path);
        }
    }
}

/// A type id also changes with the version of an indirect dependency.
#[test]
fn a_type_has_another_id_if_a_dependency_has_another_version() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let manifest = |name: &str, version: &str, needs: &str| {
        let needs = match needs {
            "" => String::new(),
            needs => format!("[dependencies]\n{needs} = {{ path = \"../{needs}\" }}\n"),
        };
        let text = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n{needs}"
        );
        write(&format!("{name}/Cargo.toml"), &text);
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\nexclude = [\"target\"]\n",
    );
    write("far/src/lib.rs", "");
    write("near/src/lib.rs", "");
    write("facts/src/lib.rs", "pub struct Facts;");
    write(
        "print/src/main.rs",
        "fn main() { println!(\"{:?}\", std::any::TypeId::of::<facts::Facts>()) }",
    );
    let id = |far: &str| {
        manifest("far", far, "");
        manifest("near", "1.0.0", "far");
        manifest("facts", "1.0.0", "near");
        manifest("print", "1.0.0", "facts");
        let mut run = Command::new(env!("CARGO"));
        run.args(["run", "-q", "--offline", "-p", "print"]).current_dir(folder.path());
        // The crates here must not get the settings of the cargo that runs this test.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_") && name != "CARGO_HOME" {
                run.env_remove(name);
            }
        }
        let output = run.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let first = id("1.0.0");
    assert_ne!(id("1.0.1"), first);
    assert_eq!(id("1.0.0"), first);
}
