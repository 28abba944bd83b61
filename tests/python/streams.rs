//! Subunit streams, made by the real python-subunit, as inputs of a combine.

use std::fs;
use std::process::Command;

use crate::support::{Dir, Ran, Rows, neutral, pulpcov, venv};

/// Returns a program of python-subunit, or its Python.
fn subunit(program: &str) -> Command {
    let folder = venv("python-subunit-1.4.6", &["python-subunit==1.4.6"]);
    neutral(Command::new(folder.join("bin").join(program)))
}

/// Writes streams as test runners on several machines do. A line of `files` has a route, a test, a name and the path of a file; with
/// a number after it, the stream ends after so many bytes of it.
const STREAM: &str = "
import sys
from subunit.v2 import StreamResultToBytes
out = StreamResultToBytes(sys.stdout.buffer)
for line in sys.stdin.read().splitlines():
    route, test, name, path, *length = line.split(' ')
    route, test = route if route != '-' else None, test if test != '-' else None
    content = open(path, 'rb').read()
    if test:
        out.status(test_id=test, test_status='inprogress', route_code=route)
    chunks = [content[at:at + 10000] for at in range(0, len(content), 10000)]
    for number, chunk in enumerate(chunks):
        if length and number == int(length[0]):
            break
        sys.stdout.buffer.write('³ between packets, there is text\\n'.encode())
        last = number == len(chunks) - 1
        out.status(test_id=test, route_code=route, file_name=name, file_bytes=chunk, eof=last, mime_type='text/plain')
        out.status(test_id=test, route_code=route, file_name='log', file_bytes=b'text', eof=last)
    if test:
        out.status(test_id=test, test_status='success', route_code=route)
";

/// Writes a stream of these files, with text in it.
fn stream(dir: &Dir, name: &str, files: &str) {
    write_stream(dir, name, files, STREAM);
}

fn write_stream(dir: &Dir, name: &str, files: &str, script: &str) {
    let input = dir.write("files.txt", files);
    let output = dir.write(name, "");
    let mut python = subunit("python");
    python.args(["-c", script]).current_dir(dir.path(""));
    python.stdin(fs::File::open(input).unwrap()).stdout(fs::File::create(output).unwrap());
    Ran::from(python.output().unwrap()).status(0);
}

/// Two checkouts of one project, at the same path on two machines, and another at a path of its own. Each test has a data file.
fn machines() -> Dir {
    let dir = Dir::new();
    let app = "def add(a, b):\n    return a + b\n\ndef sub(a, b):\n    return a - b\n";
    for folder in ["", "there/"] {
        dir.write(format!("{folder}src/calc.py"), app);
        let test = |name: &str| {
            format!(
                "import sys\nsys.path.insert(0, 'src')\nimport calc\nassert calc.{name}(3, 2)\n"
            )
        };
        dir.write(format!("{folder}add.py"), test("add"));
        dir.write(format!("{folder}sub.py"), test("sub"));
    }
    for (place, name) in [("", "add"), ("there", "add"), ("there", "sub")] {
        let file = format!("--data-file={}", dir.path(format!("data.{place}{name}")).display());
        let mut command = crate::support::coverage();
        command.args(["run", "--source=src", &file, &format!("{name}.py")]);
        Ran::from(command.current_dir(dir.path(place)).output().unwrap()).status(0);
    }
    dir
}

/// What coverage.py makes of the files with this configuration.
fn combined_by_coverage(dir: &Dir, files: &[&str]) -> Rows {
    let ran = dir.coverage([&["combine", "--keep", "--data-file=expected"], files].concat());
    let ran = ran.status(0);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    Rows::by_sql(dir.path("expected"))
}

/// Data files in a stream have the rows that they have beside it, whatever their names and types are.
#[test]
fn attached_data_files_are_combined() {
    let dir = machines();
    stream(
        &dir,
        "run.subunit",
        "- tests.test_add .coverage data.add\n0/1 tests.test_add x data.thereadd\n- - readme data.theresub\n",
    );
    let expected = combined_by_coverage(&dir, &["data.add", "data.thereadd", "data.theresub"]);
    let ran = dir.pulpcov(["combine", "--debug=combine", "run.subunit"]).status(0);
    let ran = ran.stderr("Looking into archive run.subunit\n").stderr("Combined 3 files\n");
    let ran = ran.stderr("Combined data file run.subunit!/.coverage of tests.test_add\n");
    ran.stderr("Combined data file run.subunit!/x of tests.test_add, route 0/1\n");
    assert_eq!(Rows::by_sql(dir.path(".coverage")), expected);
    // Version 1, which stestr and testrepository keep. A stream of it begins with a line of it.
    let silent = STREAM.replace("³ between packets, there is text\\n", "");
    write_stream(&dir, "silent", &fs::read_to_string(dir.path("files.txt")).unwrap(), &silent);
    let mut older = subunit("subunit-2to1");
    let v1 = older.arg(dir.path("silent")).output().unwrap();
    assert!(v1.status.success() && v1.stdout.starts_with(b"test: "));
    dir.write("0", &v1.stdout);
    dir.pulpcov(["combine", "0"]).status(0).stderr("Combined 2 files\n");
    let of_tests = combined_by_coverage(&dir, &["data.add", "data.thereadd"]);
    assert_eq!(Rows::by_sql(dir.path(".coverage")), of_tests);
    // What a test runner printed first may be long.
    let run = fs::read(dir.path("run.subunit")).unwrap();
    dir.write("loud", [&b"building\n".repeat(1000)[..], &run].concat());
    dir.pulpcov(["combine", "loud"]).status(0).stderr("Combined 3 files\n");
    assert_eq!(Rows::by_sql(dir.path(".coverage")), expected);
    let ran = dir.pulpcov(["combine", "add.py"]).status(1);
    ran.stderr("add.py: this is not in any format that coverage.py wrote");
    // Through a pipe, in a folder, and in an archive.
    let mut piped = pulpcov();
    piped.args(["combine", "-"]).current_dir(dir.path(""));
    piped.stdin(fs::File::open(dir.path("run.subunit")).unwrap());
    Ran::from(piped.output().unwrap()).status(0).stderr("Combined 3 files\n");
    assert_eq!(Rows::by_sql(dir.path(".coverage")), expected);
    let zip = "mkdir in; gzip -c run.subunit > in/run.subunit.gz; tar cf all.tar in; mkdir deep; cp run.subunit deep";
    Ran::from(Command::new("sh").args(["-c", zip]).current_dir(dir.path("")).output().unwrap())
        .status(0);
    for place in ["in", "all.tar", "deep"] {
        dir.pulpcov(["combine", place]).status(0).stderr("Combined 3 files\n");
        assert_eq!(Rows::by_sql(dir.path(".coverage")), expected, "{place}");
    }
    assert!(dir.path("run.subunit").exists() && dir.path("deep/run.subunit").exists());
}

/// Machines that have their checkouts at different paths, or different checkouts at one path, come together by their routes.
#[test]
fn routes_have_aliases_of_their_own() {
    let dir = machines();
    let there = dir.path("there/src");
    let settings = format!(
        "[tool.coverage.run]\nsource = ['src']\n[tool.pulpcov.routes]\n'0/*' = ['src', '{}']\n",
        there.display()
    );
    dir.write("pyproject.toml", &settings);
    stream(
        &dir,
        "run.subunit",
        "0/1 test_add a data.thereadd\n0/2/5 test_sub b data.theresub\n1 test_add c data.thereadd\n- test_add d data.add\n",
    );
    let ran = dir.pulpcov(["combine", "run.subunit"]).status(0);
    assert_eq!(ran.stderr, "Combined 4 files\n");
    let ours = Rows::by_sql(dir.path(".coverage"));
    let here = dir.path("src/calc.py").display().to_string();
    let elsewhere = there.join("calc.py").display().to_string();
    assert_eq!(ours.files.keys().collect::<Vec<_>>(), [&here, &elsewhere]);
    let lines = |file: &str| {
        ours.lines[&(file.to_owned(), String::new())].iter().copied().collect::<Vec<_>>()
    };
    assert_eq!(lines(&here), [1, 2, 4, 5]);
    // Route 1 has no aliases, so its data stays what it is.
    assert_eq!(lines(&elsewhere), [1, 2, 4]);
    // coverage.py with an alias for the same data says the same, and reads the file with our settings without a word.
    dir.write(
        "with_paths",
        format!("[run]\nsource = src\n[paths]\nsource =\n    src\n    {}\n", there.display()),
    );
    let ran = dir.coverage([
        "combine",
        "--keep",
        "--rcfile=with_paths",
        "--data-file=expected",
        "data.thereadd",
        "data.theresub",
        "data.add",
    ]);
    ran.status(0);
    let theirs = Rows::by_sql(dir.path("expected"));
    assert_eq!(theirs.lines[&(here.clone(), String::new())], ours.lines[&(here, String::new())]);
    let ran = dir.coverage(["report"]).status(0);
    assert_eq!(ran.stderr, "");
    let ran = dir.coverage(["debug", "config"]).status(0);
    assert!(ran.stdout.contains("pyproject.toml") && ran.stderr.is_empty());
    dir.pulpcov(["debug", "config"]).status(0).stdout("routes").stdout("0/*: src, ");
    // The same settings in an INI file.
    fs::remove_file(dir.path("pyproject.toml")).unwrap();
    let ini = format!("[run]\nsource = src\n[pulpcov:routes]\n0/* = src, {}\n", there.display());
    dir.write(".coveragerc", ini);
    dir.pulpcov(["combine", "run.subunit"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(".coverage")), ours);
    let ran = dir.coverage(["report"]).status(0);
    assert_eq!(ran.stderr, "");
    // What is wrong is said where it is needed, and only there.
    dir.write(".coveragerc", "[pulpcov:routes]\n0/* = src\n");
    let ran = dir.pulpcov(["combine", "run.subunit"]).status(1);
    ran.stderr("name the folder of the sources here").stderr("[pulpcov:routes] 0/*");
    dir.pulpcov(["combine", "--keep", "data.add"]).status(0);
    dir.write(".coveragerc", "[pulpcov:routes]\n0/* = src, */src/*\n");
    dir.pulpcov(["combine", "run.subunit"]).status(1).stderr("Pattern must not end with wildcards");
}

/// Two machines have different folders at one path.
#[test]
fn one_path_is_two_folders_on_two_machines() {
    let dir = machines();
    dir.write("lib/calc.py", "");
    dir.write(
        "pulpcov.toml",
        format!(
            "[routes]\n0 = ['src', '{0}']\n1 = ['lib', '{0}']\n",
            dir.path("there/src").display()
        ),
    );
    stream(&dir, "run.subunit", "0/4 - a data.thereadd\n1 - a data.thereadd\n");
    dir.pulpcov(["combine", "run.subunit"]).status(0).stderr("Combined 2 files\n");
    let rows = Rows::by_sql(dir.path(".coverage"));
    let expected = ["lib/calc.py", "src/calc.py"].map(|file| dir.path(file).display().to_string());
    assert_eq!(rows.files.into_keys().collect::<Vec<_>>(), expected);
    assert_eq!(rows.lines.len(), 2);
}

/// Tests of runs that recorded no contexts can be asked for.
#[test]
fn tests_are_contexts_if_there_are_no_others() {
    let dir = machines();
    let mut named = crate::support::coverage();
    named.args(["run", "--source=src", "--context=nightly", "--data-file=data.named", "sub.py"]);
    Ran::from(named.current_dir(dir.path("")).output().unwrap()).status(0);
    stream(
        &dir,
        "run.subunit",
        "0 tests.test_calc.Add.test_add a data.add\n1 tests.test_calc.Add.test_again a data.add\n0 tests.test_calc.Sub.test_sub a data.named\n- - a data.add\n",
    );
    let ran = dir.pulpcov(["combine", "--contexts=test-id", "run.subunit"]).status(0);
    // Equal bytes of different tests are no duplicates.
    assert_eq!(ran.stderr, "Combined 4 files\n");
    let ours = Rows::by_sql(dir.path(".coverage"));
    let tests = ["", "nightly", "tests.test_calc.Add.test_add", "tests.test_calc.Add.test_again"];
    assert_eq!(ours.contexts.iter().collect::<Vec<_>>(), tests);
    // coverage.py's own data with these contexts is the same, and it reads ours.
    for test in &tests[2..] {
        let mut command = crate::support::coverage();
        command.args([
            "run",
            "--source=src",
            &format!("--context={test}"),
            &format!("--data-file=context.{test}"),
            "add.py",
        ]);
        Ran::from(command.current_dir(dir.path("")).output().unwrap()).status(0);
    }
    let [first, second] = [2, 3].map(|at| format!("context.{}", tests[at]));
    assert_eq!(ours, combined_by_coverage(&dir, &[&first, &second, "data.named", "data.add"]));
    dir.coverage(["report", "--contexts=test_again"]).status(0);
    dir.pulpcov(["who", "src/calc.py:2"]).status(0).stdout("tests.test_calc.Add.test_again");
    // Without the option, and without contexts at all.
    let ran = dir.pulpcov(["combine", "run.subunit"]).status(0);
    assert_eq!(ran.stderr, "Combined 2 files, skipped 2\n");
    assert_eq!(Rows::by_sql(dir.path(".coverage")).contexts.len(), 2);
    let ran =
        dir.pulpcov(["combine", "--contexts=test-id", "--drop-contexts", "run.subunit"]).status(1);
    ran.stderr("cannot be used with");
}

/// A worker that was stopped leaves a file without an end.
#[test]
fn a_file_without_an_end_is_named_and_left_out() {
    let dir = machines();
    stream(&dir, "run.subunit", "0 test_sub data data.theresub 1\n0 test_add data data.add\n");
    let ran = dir.pulpcov(["combine", "run.subunit"]).status(3);
    let ran = ran.stderr("left out: run.subunit!/data of test_sub, route 0: its end is not in the stream, only the first 10000 bytes are");
    ran.stderr("Combined 1 file, 1 file errored");
    assert_eq!(Rows::by_sql(dir.path(".coverage")), combined_by_coverage(&dir, &["data.add"]));
    stream(&dir, "none.subunit", "- test_add log files.txt\n");
    let ran = dir.pulpcov(["combine", "none.subunit"]).status(1);
    ran.stderr("none.subunit: no file in it is a data file");
    // A program that takes data files says what this is.
    let ran = dir.pulpcov(["report", "--data-file=run.subunit"]).status(1);
    ran.stderr("this is a subunit stream: combine reads the data files in it if it is named");
}

/// A part of a data file that was damaged on its way is told, whichever part it is.
#[test]
fn damaged_packets_are_told() {
    let dir = machines();
    stream(&dir, "run.subunit", "0 t1 .coverage data.add\n1 t2 .coverage data.thereadd\n");
    let whole = fs::read(dir.path("run.subunit")).unwrap();
    let begin = memchr::memmem::find(&whole, b"SQLite format 3").unwrap();
    for at in [5_000, 25_000, 45_000] {
        let mut damaged = whole.clone();
        damaged[begin + at] ^= 0xff;
        dir.write("damaged.subunit", damaged);
        let ran = dir.pulpcov(["combine", "damaged.subunit"]).status(3);
        assert!(
            ran.stderr.contains("1 packet with a part of a file is damaged"),
            "{at}: {}",
            ran.stderr
        );
        let listed = dir.pulpcov(["subunit", "ls", "damaged.subunit"]).status(0);
        assert!(listed.stderr.contains("1 packet with a part of a file is damaged"), "{at}");
        let ran = dir.pulpcov(["subunit", "filter", "--into=taken", "damaged.subunit"]).status(3);
        assert!(ran.stderr.contains("damaged"), "{at}: {}", ran.stderr);
    }
}

/// The results of tests pass on, whatever becomes of the data files.
#[test]
fn a_stream_passes_on_if_its_data_files_cannot_be_kept() {
    let dir = machines();
    stream(&dir, "run.subunit", "0 t1 .coverage data.add\n1 t2 .coverage data.thereadd\n");
    let filter = |into: &str, file: &str| {
        let mut command = pulpcov();
        let into = format!("--into={into}");
        command.args(["subunit", "filter", &into, file]).current_dir(dir.path(""));
        command.output().unwrap()
    };
    let passed = filter("taken", "run.subunit").stdout;
    // A full disk.
    let full = filter("/dev/full", "run.subunit");
    assert!(full.stdout.is_empty());
    assert!(String::from_utf8_lossy(&full.stderr).contains("this folder cannot be made"));
    dir.write("sealed/x", "");
    let limited = Command::new("sh")
        .args(["-c", "ulimit -f 8; exec \"$0\" subunit filter --into=sealed run.subunit | cat"])
        .arg(pulpcov().get_program())
        .current_dir(dir.path(""))
        .output()
        .unwrap();
    assert_eq!(limited.stdout, passed);
    assert!(!limited.stderr.is_empty());
    // What is no stream is not filtered in silence.
    let other = filter("taken", "add.py");
    assert!(String::from_utf8_lossy(&other.stderr).contains("this has no packets of subunit"));
}
