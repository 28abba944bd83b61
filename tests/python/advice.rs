//! Tests that users can follow the advice in messages: every option that a message names exists, and helps.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::hooked::Hooked;
use crate::support::sample::recorded;
use crate::support::{Dir, pulpcov, root};

/// For each message that names an option: some of its words, and the test that follows its advice.
const FOLLOWED: [(&str, &str); 61] = [
    ("--baseline is data of coverage.py", "changes_in_other_languages_are_judged"),
    ("{}: none of its files is in {}", "names_of_another_place_are_found"),
    ("nothing is left: --include and --omit", "names_are_mapped_and_chosen"),
    ("--badge and --summary write beside", "runs_are_added_and_drawn"),
    ("{option} needs a report of all files", "runs_are_added_and_drawn"),
    ("--history needs a file, in a folder", "runs_are_added_and_drawn"),
    ("the baseline has no file of this report", "what_rose_and_fell_is_shown_everywhere"),
    ("The baseline counts as measured where", "the_baseline_is_where_the_branch_began"),
    (", but the report has none: --include", "a_report_of_nothing_says_what_to_do"),
    ("no forge of this name is known", "pages_say_where_they_are_from"),
    ("--source-url needs the commit", "pages_say_where_they_are_from"),
    ("Exit codes:", "the_options_of_messages_exist"),
    ("copies go beside the sources", "copies_of_sources_elsewhere_need_a_folder"),
    ("writes it into a folder of yours", "copies_beside_the_sources"),
    ("Files named like", "data_files_of_another_name_are_combined_as_the_message_says"),
    ("name another one; or with --python", "a_watch_finds_the_data_root_by_itself"),
    ("is a file; --source takes", "a_file_as_source_is_refused_with_the_way_out"),
    ("unless --mixed=lines reduces both", "branches_go_into_another_folder_as_the_message_says"),
    // Not all of these errors can be provoked as root. Every test of the hook does what they advise.
    ("Run this as a user who may", "a_python_of_a_virtual_environment_can_be_named"),
    ("The file system is read-only", "a_python_of_a_virtual_environment_can_be_named"),
    (
        "is not a Python, because it does not answer",
        "a_python_of_a_virtual_environment_can_be_named",
    ),
    ("-m pip install --target", "the_advice_suits_a_python_that_refuses_pip"),
    // These are parts of commands that messages print.
    (" --python {}", "data_are_purged_after_the_hook_was_uninstalled"),
    ("{NO_FOLDER}; with --data-root", "reports_are_of_the_folder_that_is_named"),
    ("--json lists all", "of_processes_that_have_ended_the_newest_are_listed"),
    ("Data files stay in", "data_are_purged_after_the_hook_was_uninstalled"),
    ("; --data-root chooses another folder", "a_purge_names_processes_that_still_run"),
    ("; --contexts-once writes each name once", "each_name_of_a_context_can_be_written_once"),
    ("Two ways on: --plugins=run", "what_only_python_can_tell_stops_a_report_and_the_ways_on_work"),
    (
        "{err}; --python names a Python",
        "what_only_python_can_tell_stops_a_report_and_the_ways_on_work",
    ),
    (
        "{last}; --python names a Python",
        "what_only_python_can_tell_stops_a_report_and_the_ways_on_work",
    ),
    ("exclusions of plugins are those for Python", "covdefaults_counts_as_in_python"),
    ("that lack lines of their data", "another_version_of_a_source_is_said_to_be_one"),
    ("; --show-source shows it", "what_is_withheld_is_named_and_can_be_shown"),
    ("; --source-root=. finds them", "rows_that_are_looked_for_by_another_name_are_told"),
    (
        "-i leaves them out, --source-root finds",
        "missing_sources_are_left_out_or_found_as_the_message_says",
    ),
    (
        "--root=. gives them names of their own",
        "files_with_one_name_in_xml_are_told_and_have_names_of_their_own_below_a_root",
    ),
    (
        "changed after measuring, so its lines may be others",
        "a_source_that_changed_after_measuring_is_told",
    ),
    ("measured on another version than {}", "lines_are_those_of_the_version_that_was_measured"),
    (
        "the baseline has no file of this repository",
        "what_ran_before_and_does_not_now_is_found_in_all_files",
    ),
    ("the data has no file of this repository", "data_of_another_place_is_found_or_refused"),
    (
        "the baseline was measured on another version",
        "what_ran_before_and_does_not_now_is_found_in_all_files",
    ),
    ("the baseline was measured on other sources", "a_baseline_names_what_fell"),
    ("read a diff with --diff=FILE", "the_base_is_found_or_asked_for"),
    ("git has none of the branches", "the_base_is_found_or_asked_for"),
    ("changed after measuring: {}; measure", "data_of_another_version_are_recognized"),
    ("was not measured, but {} was", "data_of_another_place_pass_no_gate"),
    ("this clone is partial", "a_partial_clone_is_told_to_pass_a_diff"),
    ("no data; measure first", "without_data_the_way_to_some_is_named"),
    ("there is nothing to compare with: set", "the_ratchet_is_made_and_only_falls"),
    ("the ratchet can fall: `--update`", "the_ratchet_is_made_and_only_falls"),
    ("# Missing lines, missing branches, and file", "the_ratchet_is_made_and_only_falls"),
    ("git left a conflict here", "without_the_driver_a_conflict_is_told_with_the_way_out"),
    ("The baseline is compared with the sources of now", "a_baseline_names_what_fell"),
    ("or leave it out of both with --omit", "a_baseline_names_what_fell"),
    ("--allow-unmeasured accepts", "files_that_git_does_not_track_count"),
    ("--max-bytes is for --format=markdown only", "markdown_fits_into_the_summary_of_a_step"),
    ("this may be any of", "a_file_that_may_be_two_is_refused_with_both_names"),
    ("a comment is about the whole project", "a_comment_refuses_what_it_cannot_say"),
    ("write TEXT=URL after --link", "a_comment_refuses_what_it_cannot_say"),
    ("Use --mixed=lines to combine them", "lines_and_branches_are_refused_by_name_or_reduced"),
];

/// Returns the messages of the crates that name an option.
///
/// These are the string literals with an option and a space. Arguments of programs have no spaces.
fn messages() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["pulpcov-cli/src", "pulpcov-core/src"] {
        each_source(&root().join(folder), &mut |code| {
            let code = code.split("#[cfg(test)]").next().unwrap();
            found.extend(
                texts(code)
                    .into_iter()
                    .filter(|text| text.contains(' ') && !options(text).is_empty()),
            );
        });
    }
    found
}

fn each_source(folder: &Path, visit: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Returns the string literals of Rust code. Comments and escaped line breaks are skipped.
fn texts(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/', '\'', '#']) {
        let before = &rest[..at];
        rest = &rest[at..];
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(behind) =
            ["'\"'", "'\\\"'"].iter().find_map(|quote| rest.strip_prefix(quote))
        {
            rest = behind;
        } else if before.ends_with('r') && rest.starts_with("#\"") {
            rest = rest[2..].split_once("\"#").map_or("", |(_, behind)| behind);
        } else if let Some(literal) = rest.strip_prefix('"') {
            let end = if before.ends_with('r') {
                literal.find('"').unwrap()
            } else {
                end_of_literal(literal)
            };
            found.push(unbroken(&literal[..end]));
            rest = &literal[end + 1..];
        } else {
            rest = &rest[1..];
        }
    }
    found
}

fn end_of_literal(literal: &str) -> usize {
    let mut escaped = false;
    let is_end = |c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    };
    literal.find(is_end).unwrap()
}

fn unbroken(literal: &str) -> String {
    let mut parts = literal.split("\\\n");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

/// Returns the options in a text, with their values.
fn options(text: &str) -> Vec<&str> {
    let is_separator = |c: char| c.is_whitespace() || "`;,()'".contains(c);
    let is_option = |word: &&str| {
        word.strip_prefix("--")
            .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    // The options of pip and pytest are not ours.
    let ours = text.split("pip install").next().unwrap();
    let ours = ours.split("`pytest ").next().unwrap();
    ours.split(is_separator)
        .filter(is_option)
        .map(|word| word.trim_end_matches(['.', ':']))
        .collect()
}

/// Returns the help of all commands.
fn help() -> String {
    let commands = [
        "annotate",
        "badge",
        "combine",
        "comment",
        "convert",
        "debug analyze",
        "debug config",
        "debug data",
        "erase",
        "gate",
        "hook install",
        "hook report",
        "hook status",
        "hook uninstall",
        "html",
        "json",
        "lcov",
        "merge",
        "patch",
        "report",
        "tests-for",
        "watch",
        "who",
        "xml",
    ];
    let help_of =
        |command: &&str| Dir::new().pulpcov(command.split(' ').chain(["--help"])).status(0).stdout;
    commands.iter().map(help_of).collect()
}

#[test]
fn the_options_of_messages_exist() {
    let help = help();
    let known: BTreeSet<&str> = help
        .split(|c: char| c.is_whitespace() || "[],`".contains(c))
        .filter(|word| word.starts_with("--"))
        .map(|word| word.split('=').next().unwrap())
        .collect();
    let messages = messages();
    assert!(messages.len() >= FOLLOWED.len() - 1, "{messages:#?}");
    for message in &messages {
        for option in options(message) {
            let name = option.split('=').next().unwrap();
            assert!(known.contains(name), "there is no {option}, which is in: {message}");
        }
    }
}

/// A message that names an option needs a test that follows its advice.
#[test]
fn each_message_that_names_an_option_is_followed_by_a_test() {
    let messages =
        messages().into_iter().chain(["-m pip install --target".to_owned()]).collect::<Vec<_>>();
    let mut tests = String::new();
    each_source(&root().join("tests"), &mut |code| tests.push_str(code));
    for message in &messages {
        let rows = FOLLOWED.iter().filter(|(words, _)| message.contains(words)).count();
        assert_eq!(rows, 1, "{message}");
    }
    for (words, test) in FOLLOWED {
        assert!(messages.iter().any(|message| message.contains(words)), "no message says {words}");
        assert!(tests.contains(&format!("fn {test}()")), "there is no test {test}");
    }
}

#[test]
fn texts_of_code_are_found() {
    let code =
        "a(\"one --x\"); // \"no\"\nb('\"', r#\"raw\"#, \"two \\\n    words \\\" --y\", r\"c\");";
    assert_eq!(texts(code), ["one --x", "two words \\\" --y", "c"]);
    assert_eq!(options("Use `--a=b`; or --c-d."), ["--a=b", "--c-d"]);
}

#[test]
fn data_files_of_another_name_are_combined_as_the_message_says() {
    let dir = recorded(&[]);
    fs::rename(dir.path(".coverage"), dir.path("data.web.pid1.Xaaaaaax")).unwrap();
    let said = dir.pulpcov(["combine"]).status(1).stderr;
    let (_, advice) = said.split_once("Combine them with ").unwrap();
    let option = advice.lines().next().unwrap();
    dir.pulpcov(["combine", option]).status(0);
    dir.pulpcov(["report", option]).status(0).stdout("main.py");
}

#[test]
fn missing_sources_are_left_out_or_found_as_the_message_says() {
    let dir = recorded(&[]);
    let whole = dir.pulpcov(["report"]).status(0).stdout;
    fs::create_dir(dir.path("moved")).unwrap();
    fs::rename(dir.path("shop"), dir.path("moved/shop")).unwrap();
    fs::rename(dir.path("main.py"), dir.path("moved/main.py")).unwrap();
    dir.pulpcov(["report"]).status(1).stderr("-i leaves them out, --source-root finds them");
    dir.pulpcov(["report", "-i"]).status(1).stdout("No data to report.");
    assert_eq!(dir.pulpcov(["report", "--source-root=moved"]).status(0).stdout, whole);
    fs::rename(dir.path("moved/main.py"), dir.path("main.py")).unwrap();
    dir.pulpcov(["report", "-i"]).status(0).stdout("main.py");
    fs::rename(dir.path("main.py"), dir.path("moved/main.py")).unwrap();
    // `[paths]` finds them too.
    let here = dir.path("");
    dir.write(".coveragerc", format!("[paths]\nx =\n    {0}/moved\n    {0}\n", here.display()));
    let mapped = dir.pulpcov(["report"]).status(0).stdout;
    assert!(mapped.contains("moved/main.py"), "{mapped}");
}

#[test]
fn branches_go_into_another_folder_as_the_message_says() {
    let hooked = Hooked::new().installed(&[]);
    assert!(hooked.drive("threads").status().unwrap().success());
    let root = hooked.root();
    let install = |root: &Path| {
        let args = ["--source", "shop", "--branch", "--data-root", root.to_str().unwrap()];
        hooked.hook("install", &args).status(0).stderr
    };
    assert!(install(&root).contains("Choose another folder with --data-root"));
    let other = install(&hooked.dir.path("other"));
    assert!(!other.contains("branches"), "{other}");
}

#[test]
fn a_python_of_a_virtual_environment_can_be_named() {
    let hooked = Hooked::new();
    let root = hooked.root();
    hooked.dir.pulpcov(["hook", "install", "--python", "/bin/true"]).status(1).stderr("--python");
    hooked.hook("install", &["--source", "shop", "--data-root", root.to_str().unwrap()]).status(0);
}

#[test]
fn reports_are_of_the_folder_that_is_named() {
    let hooked = Hooked::new().installed(&[]);
    assert!(hooked.drive("threads").status().unwrap().success());
    let moved = hooked.dir.path("moved");
    fs::rename(hooked.root(), &moved).unwrap();
    let report = |args: &[&str]| hooked.hook("report", &[args, &["results"]].concat());
    report(&[]).status(1).stderr("; with --data-root, name another one; or with --python");
    report(&["--data-root", moved.to_str().unwrap()]).status(0).stdout("shop/");
    // The folder is enough: the command works without the hook's Python.
    let mut alone = pulpcov();
    alone.args(["hook", "report", "alone", "--data-root"]).arg(&moved);
    let ran = alone.current_dir(hooked.dir.path("")).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}
