//! Abbreviated option names, as Python's optparse accepts them: `--show-miss` means `--show-missing`.
//!
//! An abbreviation may fit several options. If only one of them is coverage.py's, the abbreviation means this
//! option, as it does for coverage.py.

use std::ffi::OsString;

use clap::{Command, Error, error::ErrorKind};

/// Options that coverage.py does not have, of commands that it has.
const NOT_IN_COVERAGE: [&str; 26] = [
    "allow-unmeasured",
    "base",
    "by",
    "codecov",
    "contexts-once",
    "diff",
    "drop-contexts",
    "gitlab",
    "json",
    "keep-combined",
    "max-bytes",
    "mixed",
    "no-cache",
    "patch",
    "plugin-lines",
    "plugins",
    "python",
    "python-version",
    "root",
    "show-source",
    "single-file",
    "sonar",
    "source-rev",
    "source-root",
    "to",
    "version",
];

/// Replaces abbreviated options by their whole names, for the command that `args` begin with.
///
/// # Errors
///
/// Returns a usage error if an abbreviation fits several options.
pub(crate) fn expand(
    mut args: Vec<OsString>,
    mut command: &Command,
) -> Result<Vec<OsString>, Error> {
    put_topic_first(&mut args);
    for arg in args.iter_mut().skip(1) {
        let Some(text) = arg.to_str() else { continue };
        if text == "--" {
            break;
        }
        if let Some(subcommand) = command.find_subcommand(text) {
            command = subcommand;
        } else if let Some(option) = text.strip_prefix("--") {
            let (name, value) = option.split_at(option.find('=').unwrap_or(option.len()));
            if let Some(whole) = whole_name(name, command)? {
                *arg = format!("--{whole}{value}").into();
            }
        }
    }
    Ok(args)
}

/// Moves the topic of `debug` before its options. coverage.py takes these options before the topic; clap
/// takes them after it.
fn put_topic_first(args: &mut [OsString]) {
    if args.get(1).is_none_or(|command| command != "debug") {
        return;
    }
    let mut is_value = false;
    let topic = args.iter().skip(2).position(|arg| {
        let is_option = arg.to_str().is_some_and(|text| text.starts_with('-'));
        let is_topic = !is_value && !is_option;
        is_value = arg == "--rcfile";
        is_topic
    });
    if let Some(topic) = topic {
        args[2..=2 + topic].rotate_right(1);
    }
}

/// Returns the one option that begins with `name`. Returns `None` if `name` is an option itself, or if no
/// option begins with it.
fn whole_name<'c>(name: &str, command: &'c Command) -> Result<Option<&'c str>, Error> {
    let names = || command.get_arguments().filter_map(|option| option.get_long());
    if name.is_empty() || names().any(|long| long == name) {
        return Ok(None);
    }
    let begun: Vec<&str> = names().filter(|long| long.starts_with(name)).collect();
    let theirs: Vec<&str> =
        begun.iter().copied().filter(|long| !NOT_IN_COVERAGE.contains(long)).collect();
    match (&begun[..], &theirs[..]) {
        ([], _) => Ok(None),
        ([one], _) | (_, [one]) => Ok(Some(one)),
        _ => {
            let names: Vec<String> = begun.iter().map(|long| format!("--{long}")).collect();
            let message = format!("ambiguous option: --{name} ({}?)\n", names.join(", "));
            Err(Error::raw(ErrorKind::UnknownArgument, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    fn expanded(args: &[&str]) -> Result<Vec<String>, String> {
        let args = ["pulpcov"].iter().chain(args).map(OsString::from).collect();
        let mut command = Cli::command();
        command.build();
        let whole = expand(args, &command).map_err(|err| err.to_string())?;
        Ok(whole.into_iter().skip(1).map(|arg| arg.into_string().unwrap()).collect())
    }

    #[test]
    fn a_name_that_begins_one_option_is_that_option() {
        for (short, whole) in [
            ("--show-miss", "--show-missing"),
            // The other options that begin like this do not exist in coverage.py.
            ("--sho", "--show-missing"),
            ("--so=name", "--sort=name"),
            ("--p=2", "--precision=2"),
            ("--fail=10", "--fail-under=10"),
            ("--source-ro=x", "--source-root=x"),
            ("--sort=--sho", "--sort=--sho"),
            ("--nonsense", "--nonsense"),
        ] {
            assert_eq!(expanded(&["report", short]).unwrap(), ["report", whole]);
        }
    }

    #[test]
    fn a_name_that_begins_several_is_refused_with_their_names() {
        let said = expanded(&["report", "--s"]).unwrap_err();
        assert!(said.contains("ambiguous option: --s (--"), "{said}");
        assert!(said.contains("--show-missing") && said.contains("--skip-covered"), "{said}");
    }

    #[test]
    fn options_of_debug_may_come_before_the_topic() {
        for args in
            [&["debug", "--rcfile", "data", "config"][..], &["debug", "config", "--rcfile", "data"]]
        {
            let whole = expanded(args).unwrap();
            assert_eq!(whole, ["debug", "config", "--rcfile", "data"]);
        }
        assert_eq!(expanded(&["debug", "--rcfile=x"]).unwrap(), ["debug", "--rcfile=x"]);
    }

    #[test]
    fn what_is_behind_two_dashes_is_no_option() {
        let args = ["report", "--", "--sho"];
        assert_eq!(expanded(&args).unwrap(), args);
    }
}
