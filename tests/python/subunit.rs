//! Subunit streams, compared with python-subunit, stestr and testrepository.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pulpcov_core::subunit::{Attachments, Decoder, Piece};
use serde_json::{Value, json};

use crate::support::{Dir, Ran, Rows, neutral, pulpcov, root, venv};

/// Returns a virtual environment with the real tools.
fn tools() -> PathBuf {
    venv(
        "subunit",
        &["python-subunit==1.4.6", "stestr==4.2.1", "testrepository==0.0.22", "coverage==7.17.5"],
    )
}

/// Runs one of the real tools on a file as standard input, which may be empty. What it prints goes to a file, too.
fn tool(dir: &Dir, name: &str, args: &[&str], input: Option<&str>) -> Ran {
    let mut command = neutral(Command::new(tools().join("bin").join(name)));
    command.args(args).current_dir(dir.path(""));
    if let Some(input) = input {
        command.stdin(File::open(dir.path(input)).unwrap());
    }
    command.output().unwrap().into()
}

/// Runs a Python program that has the real tools.
fn python(dir: &Dir, program: &str) -> Ran {
    tool(dir, "python", &["-c", program], None).status(0)
}

/// Runs pulpcov, and writes what it prints to a file.
fn pulpcov_into(dir: &Dir, args: &[&str], output: &str) -> Ran {
    let output = File::create(dir.path(output)).unwrap();
    pulpcov().args(args).current_dir(dir.path("")).stdout(output).output().unwrap().into()
}

/// What python-subunit reads in a stream: events as JSON.
fn events(dir: &Dir, stream: &str) -> Vec<Value> {
    let program = format!(
        "import json, subunit
class Result:
    def status(self, **event):
        event['file_bytes'] = event['file_bytes'] and bytes(event['file_bytes']).hex()
        event['test_tags'] = event['test_tags'] and sorted(event['test_tags'])
        print(json.dumps(event, default=str))
subunit.ByteStreamToStreamResult(open({stream:?}, 'rb'), non_subunit_name='text').run(Result())"
    );
    let ran = python(dir, &program);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Writes two data files of one program, and a large one.
fn data_files(dir: &Dir) {
    dir.write("app.py", "import sys\nif sys.argv[1] == 'a':\n    x = 1\nelse:\n    y = 2\n");
    for which in ["a", "b"] {
        dir.coverage(["run", &format!("--data-file=.coverage.{which}"), "app.py", which]).status(0);
    }
}

/// A data file of more than two chunks: with many contexts.
fn large_data_file(dir: &Dir) {
    let mut data = pulpcov_core::CoverageData::new();
    for number in 0..1500 {
        let lines = (1..9000).step_by(1 + number % 7).collect();
        data.add_lines("app.py", &format!("test_{number}"), &lines).unwrap();
    }
    let format = pulpcov_core::combine::StoreFormat::Sqlite;
    pulpcov_core::combine::store(&data, dir.path(".coverage.large"), format).unwrap();
    assert!(fs::metadata(dir.path(".coverage.large")).unwrap().len() > 2 << 20);
}

#[test]
fn what_we_pack_is_read_by_python_subunit() {
    let dir = Dir::new();
    data_files(&dir);
    large_data_file(&dir);
    let args = ["subunit", "pack", "--test-id=größe", "--route=0/web-1"];
    pulpcov_into(&dir, &args, "stream").status(0);
    let events = events(&dir, "stream");
    assert_eq!(
        events.len(),
        2 + fs::metadata(dir.path(".coverage.large")).unwrap().len().div_ceil(1 << 20) as usize
    );
    for name in [".coverage.a", ".coverage.b", ".coverage.large"] {
        let of_file: Vec<_> = events.iter().filter(|event| event["file_name"] == name).collect();
        let content: String =
            of_file.iter().map(|event| event["file_bytes"].as_str().unwrap()).collect();
        let wanted: String =
            fs::read(dir.path(name)).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(content == wanted, "{name}");
        for (at, event) in of_file.iter().enumerate() {
            assert_eq!(
                (&event["test_id"], &event["route_code"]),
                (&json!("größe"), &json!("0/web-1"))
            );
            assert_eq!(event["eof"], at + 1 == of_file.len());
        }
    }
    // And by us.
    let listed = dir.pulpcov(["subunit", "ls", "stream"]).status(0);
    let large = fs::metadata(dir.path(".coverage.large")).unwrap().len();
    listed
        .stdout(&format!("data file       {large:>9}  .coverage.large of größe, route 0/web-1\n"));
    pulpcov_into(&dir, &["subunit", "filter", "stream", "--into=out"], "rest").status(0);
    assert_eq!(fs::read(dir.path("rest")).unwrap(), b"");
    let mut unpacked: Vec<_> = dir
        .names_in("out")
        .iter()
        .map(|name| fs::read(dir.path("out").join(name)).unwrap())
        .collect();
    let mut packed = [".coverage.a", ".coverage.b", ".coverage.large"]
        .map(|name| fs::read(dir.path(name)).unwrap());
    unpacked.sort();
    packed.sort();
    assert!(unpacked == packed);
}

/// A program that writes a stream with everything in it, and what should be left of it.
const EVERYTHING: &str = r#"
noise = b'\xb3 and \xc2\xb3)@ and \xb3\x29\x01\x0c\n'
import datetime, io, iso8601, random
from subunit.v2 import StreamResultToBytes
all_of_it, rest = io.BytesIO(), io.BytesIO()
def status(taken=False, **event):
    StreamResultToBytes(all_of_it).status(**event)
    if not taken:
        StreamResultToBytes(rest).status(**event)
def text(value):
    for stream in all_of_it, rest:
        stream.write(value)
now = datetime.datetime(2026, 11, 30, 19, 0, 0, 123456, tzinfo=iso8601.UTC)
def attach(name, content, size, **more):
    for start in range(0, len(content), size):
        yield dict(file_name=name, file_bytes=content[start:start + size], eof=start + size >= len(content), **more)
a, b = (open(name, 'rb').read() for name in ('.coverage.a', '.coverage.b'))
text('1 m³ é muito ó\n'.encode())
status(test_id='t.one', route_code='0', test_status='exists')
status(test_id='t.one', route_code='0', test_status='inprogress', timestamp=now)
# Two data files and a log, mixed with each other and with text. One of the data files comes byte by byte.
files = [
    (True, attach('cov', a, 1, test_id='t.one', route_code='0')),
    (True, attach('../../escape', b, 5000, route_code='../1', mime_type='text/plain')),
    (False, attach('log', 'ó³ SQLite format 3'.encode() * 500, 700, test_id='t.one', route_code='0')),
]
parts = []
for number, (taken, chunks) in enumerate(files):
    chunks = list(chunks)
    parts += [(at / len(chunks), number, taken, event) for at, event in enumerate(chunks)]
for at, (_, _, taken, event) in enumerate(sorted(parts, key=lambda part: part[:2])):
    status(taken, **event)
    if at % 100 == 0:
        text(noise)
# It may be a data file until its last byte.
for event in attach('short', b'SQLite', 2, test_id='t.one', route_code='0'):
    status(**event)
status(test_id='t.one', route_code='0', test_status='success', timestamp=now, test_tags={'fast'})
# A packet with a status and a file, as some writers make them.
StreamResultToBytes(all_of_it).status(test_id='t.two', test_status='success', file_name='cov', file_bytes=a, eof=True)
StreamResultToBytes(rest).status(test_id='t.two', test_status='success')
text(b'the end without a newline' + noise[:1])
open('stream', 'wb').write(all_of_it.getvalue())
open('wanted', 'wb').write(rest.getvalue())
"#;

#[test]
fn data_files_are_taken_out_of_what_python_subunit_writes() {
    let dir = Dir::new();
    data_files(&dir);
    python(&dir, EVERYTHING);
    let ran =
        pulpcov_into(&dir, &["subunit", "filter", "stream", "--into", "out/of"], "rest").status(0);
    ran.stderr("Took 3 data files out of the stream, into out/of");
    assert!(fs::read(dir.path("rest")).unwrap() == fs::read(dir.path("wanted")).unwrap());
    let names = dir.names_in("out/of");
    let hosts: Vec<&str> = names.iter().map(|name| name.split('.').nth(2).unwrap()).collect();
    assert_eq!(hosts, ["---1", "0", "subunit"], "{names:?}");
    let bytes = |name: &str| fs::read(dir.path(name)).unwrap();
    let out = |at: usize| bytes(&format!("out/of/{}", names[at]));
    assert!(
        [out(0), out(1), out(2)]
            == [bytes(".coverage.b"), bytes(".coverage.a"), bytes(".coverage.a")]
    );
    // They are combined as other data files are.
    dir.pulpcov(["combine", "out/of"]).status(0);
    dir.coverage(["combine", "--keep", "--data-file=wanted.sqlite", ".coverage.a", ".coverage.b"])
        .status(0);
    assert_eq!(Rows::by_sql(dir.path(".coverage")), Rows::by_sql(dir.path("wanted.sqlite")));
    let listed = dir.pulpcov(["subunit", "ls", "stream"]).status(0);
    for line in [
        "data file",
        "cov of t.one, route 0\n",
        "../../escape, route ../1\n",
        "other file          10000  log of t.one, route 0\n",
    ] {
        assert!(listed.stdout.contains(line), "{line}:\n{}", listed.stdout);
    }
}

#[test]
fn every_whole_packet_is_found_after_one_that_is_cut_anywhere() {
    let dir = Dir::new();
    let program = "
import io
from subunit.v2 import StreamResultToBytes
def packet(**event):
    stream = io.BytesIO()
    StreamResultToBytes(stream).status(**event)
    return stream.getvalue()
cut = packet(test_id='t', test_status='fail', test_tags={'x', 'ó'}, file_name='log³', file_bytes=bytes(range(256)), route_code='0')
whole = packet(test_id='t.whole', file_name='cov', file_bytes=b'SQLite format 3\\0', eof=True)
open('cut', 'wb').write(cut)
open('whole', 'wb').write(whole)";
    python(&dir, program);
    let [cut, whole] = ["cut", "whole"].map(|name| fs::read(dir.path(name)).unwrap());
    for end in 0..cut.len() {
        let stream = [&whole[..], &cut[..end], &whole, &cut[end..], &whole].concat();
        let mut decoder = Decoder::new(&stream[..]);
        let mut found = 0;
        while let Some(piece) = decoder.next_piece().unwrap() {
            match piece {
                Piece::Packet { bytes, .. } if bytes == whole => found += 1,
                // Nothing is between its halves.
                Piece::Packet { bytes, .. } => assert!(end == 0 && bytes == cut),
                Piece::Other(_) => {}
            }
        }
        assert_eq!(found, 3, "cut at {end}");
        assert_eq!(Attachments::new(&stream[..]).unwrap().count(), 3);
    }
}

#[test]
fn a_data_file_that_is_cut_is_named_and_left_out() {
    let dir = Dir::new();
    data_files(&dir);
    large_data_file(&dir);
    pulpcov_into(&dir, &["subunit", "pack", "--test-id=t.one", "--route=web\x1b[31m"], "whole")
        .status(0);
    let whole = fs::read(dir.path("whole")).unwrap();
    let last = whole.len() - 100;
    dir.write("cut", &whole[..last]);
    let ran = pulpcov_into(&dir, &["subunit", "filter", "cut", "--into=out"], "rest").status(3);
    ran.stderr("warning: left out: .coverage.large of t.one, route web?[31m: the stream has 2097152 bytes of it, but not its end\n");
    assert_eq!(dir.names_in("out").len(), 2);
    dir.pulpcov(["subunit", "ls", "cut"])
        .status(0)
        .stdout("data file, cut    2097152  .coverage.large of t.one, route web?[31m\n");
    // What is left of the packet is passed on. It is no packet.
    let rest = fs::read(dir.path("rest")).unwrap();
    assert!(!rest.is_empty() && whole[..last].ends_with(&rest));
}

/// stestr and testrepository load what is left, and keep it as streams of version 1.
#[test]
fn the_rest_is_loaded_by_stestr_and_testrepository() {
    let dir = Dir::new();
    data_files(&dir);
    // python-subunit loses what follows a false signature.
    python(&dir, &EVERYTHING.replace("noise = ", "noise = b'text\\n' #"));
    dir.write(".stestr.conf", "[DEFAULT]\ntest_path=.\n");
    dir.write(".testr.conf", "[DEFAULT]\ntest_command=true\n");
    pulpcov_into(&dir, &["subunit", "filter", "stream", "--into=out"], "rest").status(0);
    for (program, init) in [("stestr", "init"), ("testr", "init")] {
        tool(&dir, program, &[init], None).status(0);
        tool(&dir, program, &["load"], Some("rest")).status(0);
        let tests = tool(&dir, program, &["last", "--subunit"], None).status(0);
        assert!(tests.stdout.contains("t.one") && tests.stdout.contains("t.two"), "{program}");
    }
    // Loaded with the data files, both keep those of tests.
    for (program, kept) in [("stestr", ".stestr/1"), ("testr", ".testrepository/1")] {
        tool(&dir, program, &["load"], Some("stream")).status(0);
        let listed = dir.pulpcov(["subunit", "ls", kept]).status(0);
        assert_eq!(listed.stdout.matches("data file").count(), 2, "{program}:\n{}", listed.stdout);
        listed.stdout("cov of t.one\n").stdout("cov of t.two\n").stdout("log of t.one\n");
        let stream = File::open(dir.path(kept)).unwrap();
        let files: Vec<_> = Attachments::new(stream).unwrap().map(Result::unwrap).collect();
        let data = fs::read(dir.path(".coverage.a")).unwrap();
        assert!(files.iter().all(|file| file.content == data));
    }
    dir.pulpcov(["subunit", "filter", ".stestr/1", "--into=out"])
        .status(1)
        .stderr("a stream of version 1");
}

/// What is passed on must not wait for more, or a debugger's prompt would not be seen.
#[test]
fn the_rest_goes_on_as_it_comes() {
    let dir = Dir::new();
    let mut filter = pulpcov()
        .args(["subunit", "filter", "--into=out"])
        .current_dir(dir.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = filter.stdin.take().unwrap();
    let mut output = filter.stdout.take().unwrap();
    // The example in the README of python-subunit.
    let packet = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
    for part in [&b"(Pdb) "[..], packet, "não só ³ é, só uma: ".as_bytes()] {
        input.write_all(part).unwrap();
        let mut passed = vec![0; part.len()];
        output.read_exact(&mut passed).unwrap();
        assert_eq!(passed, part);
    }
    drop(input);
    assert_eq!(filter.wait().unwrap().code(), Some(0));
}

/// A reader that has seen enough must not cost the data files.
#[test]
fn data_files_are_taken_out_even_if_nobody_reads_the_rest() {
    let dir = Dir::new();
    data_files(&dir);
    pulpcov_into(&dir, &["subunit", "pack", ".coverage.a"], "packed").status(0);
    let stream = [b"text\n".repeat(100_000), fs::read(dir.path("packed")).unwrap()].concat();
    dir.write("stream", &stream);
    let mut filter = pulpcov()
        .args(["subunit", "filter", "stream", "--into=out"])
        .current_dir(dir.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(filter.stdout.take());
    assert_eq!(filter.wait().unwrap().code(), Some(0));
    assert_eq!(dir.names_in("out").len(), 1);
}

#[test]
fn a_terminal_gets_no_packets() {
    let dir = Dir::new();
    data_files(&dir);
    let program = format!(
        "import os, pty
code = os.waitstatus_to_exitcode(pty.spawn([{:?}, 'subunit', 'pack']))
assert code == 1, code",
        pulpcov().get_program()
    );
    python(&dir, &program).stdout("packets are not written to a terminal");
}

#[test]
fn what_is_no_data_file_is_not_packed() {
    let dir = Dir::new();
    data_files(&dir);
    dir.write(".coverage.notes", "text");
    pulpcov_into(&dir, &["subunit", "pack"], "stream")
        .status(3)
        .stderr(".coverage.notes: this is not in any format");
    assert_eq!(
        dir.pulpcov(["subunit", "ls", "stream"]).status(0).stdout.matches("data file").count(),
        2
    );
    pulpcov_into(&dir, &["subunit", "pack", ".coverage.notes"], "none")
        .status(1)
        .stderr("there is no data file to pack");
    dir.pulpcov(["subunit", "ls", "app.py"])
        .status(1)
        .stderr("app.py: this is not a subunit stream");
    // The data file itself is packed with those that are named like it.
    fs::remove_file(dir.path(".coverage.notes")).unwrap();
    fs::copy(dir.path(".coverage.a"), dir.path(".coverage")).unwrap();
    pulpcov_into(&dir, &["subunit", "pack"], "stream").status(0);
    dir.pulpcov(["subunit", "ls", "stream"])
        .status(0)
        .stdout("  .coverage\n")
        .stdout("  .coverage.b\n");
}

/// The data root of the hook has a folder for each user. What its processes saved can be sent to another machine at their end.
#[test]
fn a_data_root_with_folders_of_users_is_packed() {
    let dir = Dir::new();
    data_files(&dir);
    for (which, user) in [("a", "root/uid-1000"), ("b", "root/uid-33-aB3dE9fX")] {
        let content = fs::read(dir.path(format!(".coverage.{which}"))).unwrap();
        dir.write(format!("{user}/.coverage.web-1.pid7{which}"), content);
    }
    pulpcov_into(&dir, &["subunit", "pack", "root", "--route=web-1"], "stream").status(0);
    let listed = dir.pulpcov(["subunit", "ls", "stream"]).status(0);
    listed
        .stdout(".coverage.web-1.pid7a, route web-1\n")
        .stdout(".coverage.web-1.pid7b, route web-1\n");
}

/// The rows that a process left in a write-ahead log are packed, too.
#[test]
fn rows_in_a_log_are_packed() {
    let dir = Dir::new();
    data_files(&dir);
    let program = "
import os, sqlite3
data = sqlite3.connect('.coverage.a')
data.execute('pragma journal_mode = wal')
data.execute('pragma wal_autocheckpoint = 0')
data.execute(\"insert into context (context) values ('in the log')\")
data.commit()
os._exit(0)";
    python(&dir, program);
    assert!(dir.path(".coverage.a-wal").exists());
    pulpcov_into(&dir, &["subunit", "pack", ".coverage.a"], "stream").status(0);
    pulpcov_into(&dir, &["subunit", "filter", "stream", "--into=out"], "rest").status(0);
    let [name] = &dir.names_in("out")[..] else { panic!() };
    assert!(Rows::by_sql(dir.path("out").join(name)).contexts.contains("in the log"));
}

/// Processes that share a pipe, and threads of one, attach at the same time.
#[test]
fn the_helper_for_python_keeps_packets_whole() {
    let dir = Dir::new();
    let program = format!(
        "
import os, sys, threading
sys.path.insert(0, {:?})
import attach
def run(number):
    path = f'data{{number}}'
    with open(path, 'wb') as file:
        file.write(b'SQLite format 3\\0' + bytes([number]) * 2500000)
    attach.attach(path, test_id='größe' * number, route='0/1')
children = []
for first in range(0, 6, 2):
    child = os.fork()
    if child == 0:
        threads = [threading.Thread(target=run, args=[number]) for number in (first, first + 1)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        os._exit(0)
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0",
        root().join("examples/subunit")
    );
    let mut child = neutral(Command::new("python3"))
        .args(["-c", &program])
        .current_dir(dir.path(""))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let files: Vec<_> =
        Attachments::new(child.stdout.take().unwrap()).unwrap().map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    assert_eq!(files.len(), 6);
    for file in files {
        assert!(file.content == fs::read(dir.path(&file.id.name)).unwrap(), "{}", file.id);
    }
    helper_as_a_command(&dir);
}

fn helper_as_a_command(dir: &Dir) {
    data_files(dir);
    let helper = root().join("examples/subunit/attach.py");
    let output = neutral(Command::new("python3"))
        .arg(&helper)
        .args(["--route=web-1", "--test-id=t", ".coverage.a", ".coverage.b"])
        .current_dir(dir.path(""))
        .output()
        .unwrap();
    dir.write("stream", &output.stdout);
    // The two programs write the same packets.
    let args = ["subunit", "pack", "--route=web-1", "--test-id=t", ".coverage.a", ".coverage.b"];
    pulpcov_into(dir, &args, "ours").status(0);
    assert!(output.stdout == fs::read(dir.path("ours")).unwrap());
    assert!(same_events(dir, "stream", "ours"));
}

fn same_events(dir: &Dir, a: &str, b: &str) -> bool {
    events(dir, a) == events(dir, b)
}

/// The file that a stream is in may be anybody's, and so may be the names in it.
#[test]
fn names_in_a_stream_are_not_paths_and_cannot_control_the_terminal() {
    let dir = Dir::new();
    data_files(&dir);
    let before = dir.names();
    let program = "
import io
from subunit.v2 import StreamResultToBytes
stream = open('stream', 'wb')
content = open('.coverage.a', 'rb').read()
for name in ['/tmp/pulpcov-escape', '..', '', 'a/b', '\\x1b[31m\\n', '\\u202e', 'x' * 5000]:
    for route in [name, None, '../..']:
        StreamResultToBytes(stream).status(test_id=name, file_name=name, file_bytes=content, eof=True, route_code=route)";
    python(&dir, program);
    let ran = pulpcov_into(&dir, &["subunit", "filter", "stream", "--into=out"], "rest").status(0);
    ran.stderr("Took 21 data files");
    let after: Vec<String> =
        dir.names().into_iter().filter(|name| !name.starts_with("out/.coverage.")).collect();
    assert_eq!(after.len(), before.len() + 2, "{after:?}");
    assert_eq!(dir.names_in("out").len(), 21);
    let listed = dir.pulpcov(["subunit", "ls", "stream"]).status(0);
    assert_eq!(listed.stdout.lines().count(), 21);
    assert!(!listed.stdout.contains(['\x1b', '\u{202e}']));
    assert!(Path::new("/tmp/pulpcov-escape").symlink_metadata().is_err());
}
