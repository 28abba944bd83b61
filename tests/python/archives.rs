//! Archives, made by Python and by the usual tools, combined in place.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use pulpcov_core::CoverageData;
use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::formats::DataFile;
use pulpcov_core::{Author, Authors, Numbits};

use crate::support::{Dir, Ran, Rows, is_root, pulpcov, python};

/// Runs a script of Python in the folder.
#[track_caller]
fn run_python(dir: &Dir, script: &str) {
    let ran = python().args(["-c", script]).current_dir(dir.path("")).output().unwrap();
    Ran::from(ran).status(0);
}

/// Runs a shell in the folder.
#[track_caller]
fn run_shell(dir: &Dir, script: &str) {
    let ran = Command::new("sh").args(["-ec", script]).current_dir(dir.path("")).output().unwrap();
    Ran::from(ran).status(0);
}

/// Runs the command with a file as standard input.
fn run_with_input(dir: &Dir, args: &[&str], input: &str) -> Ran {
    let mut command = pulpcov();
    command.args(args).current_dir(dir.path("")).stdin(File::open(dir.path(input)).unwrap());
    command.output().unwrap().into()
}

/// Three shards, each in a folder, as coverage.py measures them: one with the plain name, one with a suffix, and one of two
/// processes.
fn shards() -> Dir {
    let dir = Dir::new();
    dir.write(".coveragerc", "[run]\nbranch = true\n");
    dir.write(
        "app.py",
        "import sys\nif sys.argv[1] == 'a':\n    x = 1\nelse:\n    x = 2\nprint(x)\n",
    );
    let shards = [
        ("1/.coverage", "a"),
        ("2/.coverage.shard2", "b"),
        ("3/.coverage.host.pid7.Xabcdefgx", "a"),
        ("3/sub/.coverage.host.pid8.Xabcdefgx", "b"),
    ];
    for (at, (file, argument)) in shards.into_iter().enumerate() {
        let file = format!("shards/{file}");
        fs::create_dir_all(dir.path(&file).parent().unwrap()).unwrap();
        let (file, context) = (format!("--data-file={file}"), format!("--context=shard {at}"));
        dir.coverage(["run", &file, &context, "app.py", argument]).status(0);
    }
    dir
}

/// What coverage.py makes of the shards.
fn expected(dir: &Dir) -> Rows {
    let args = "combine --keep --data-file=expected shards/1/.coverage shards/2/.coverage.shard2 \
                shards/3/.coverage.host.pid7.Xabcdefgx shards/3/sub/.coverage.host.pid8.Xabcdefgx";
    dir.coverage(args.split_whitespace()).status(0);
    Rows::by_sql(dir.path("expected"))
}

/// Makes archives of the shards: all in one, in every way that Python and the tools have, or one for each.
const MAKE: &str = r#"
import gzip, io, os, tarfile, zipfile
os.makedirs('all'), os.makedirs('each')

def files(folder):
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            yield os.path.join(place, name)

class Pipe(io.RawIOBase):
    """What cannot seek makes zipfile write the sizes after each file."""
    def __init__(self, out): self.out = out
    def writable(self): return True
    def write(self, data): return self.out.write(data)

def make_zip(out, folder, **options):
    with zipfile.ZipFile(out, 'w', **options) as archive:
        for name in files(folder):
            with archive.open(zipfile.ZipInfo.from_file(name), 'w', force_zip64='zip64' in str(out)) as member:
                member.write(open(name, 'rb').read())

def make_tar(out, folder, mode, **options):
    with tarfile.open(out, mode, **options) as archive:
        archive.add(folder)

make_zip('all/stored.zip', 'shards')
make_zip('all/deflated.zip', 'shards', compression=zipfile.ZIP_DEFLATED)
make_zip('all/zip64.zip', 'shards', compression=zipfile.ZIP_DEFLATED)
with open('all/streamed.zip', 'wb') as out:
    make_zip(Pipe(out), 'shards', compression=zipfile.ZIP_DEFLATED)
with zipfile.ZipFile('all/stored.zip', 'a') as archive:
    archive.comment = b'PK\x05\x06 is where it ends'
for name, kind in [('ustar', tarfile.USTAR_FORMAT), ('gnu', tarfile.GNU_FORMAT), ('pax', tarfile.PAX_FORMAT)]:
    make_tar(f'all/{name}.tar', 'shards', 'w', format=kind)
    make_tar(f'all/{name}.tar.gz', 'shards', 'w:gz', format=kind)
deep = 'long/' + 'd' * 90 + '/' + 'e' * 90 + '/' + 'f' * 90
for name, kind in [('gnu', tarfile.GNU_FORMAT), ('pax', tarfile.PAX_FORMAT)]:
    with tarfile.open(f'all/deep-{name}.tgz', 'w:gz', format=kind) as archive:
        archive.add('shards', deep)
with zipfile.ZipFile('all/nested.zip', 'w') as archive:
    archive.write('all/gnu.tar.gz', 'artifacts/coverage.tar.gz')
with tarfile.open('all/nested.tar', 'w') as archive:
    archive.add('all/deflated.zip')
with gzip.open('all/nested.gz', 'wb') as out:
    out.write(open('all/streamed.zip', 'rb').read())
for number in '123':
    make_zip(f'each/coverage-data-{number}.zip', f'shards/{number}', compression=zipfile.ZIP_DEFLATED)
"#;

/// The rows of an archive are those that coverage.py makes of what was packed.
#[test]
fn archives_have_the_rows_of_what_is_in_them() {
    let dir = shards();
    let expected = expected(&dir);
    run_python(&dir, MAKE);
    run_shell(
        &dir,
        "tar cf - shards | zstd -q -o all/tool.tar.zst; tar cf - shards | zstd -q -19 --no-check > all/other.tzst
         tar czf all/tool.tar.gz shards; tar --sparse -cf all/sparse.tar shards; zip -qr all/tool.zip shards
         tar --format=v7 -cf all/v7.tar shards; head -c 10 all/v7.tar > all/notes.txt",
    );
    let archives = dir.names_in("all");
    for archive in archives.iter().filter(|name| *name != "notes.txt") {
        let path = format!("all/{archive}");
        let before = fs::read(dir.path(&path)).unwrap();
        let ran = dir.pulpcov(["combine", &path]).status(0);
        assert_eq!(ran.stderr, "Combined 4 files\n", "{archive}");
        assert_eq!(Rows::by_sql(dir.path(".coverage")), expected, "{archive}");
        // It is kept, and it says the same through a pipe.
        assert_eq!(fs::read(dir.path(&path)).unwrap(), before);
        let ran = run_with_input(&dir, &["combine", "-"], &path).status(0);
        assert_eq!(ran.stderr, "Combined 4 files\n", "{archive}");
        assert_eq!(Rows::by_sql(dir.path(".coverage")), expected, "{archive}");
    }
    assert_eq!(archives.len(), 22);
    // coverage.py reads the result.
    dir.coverage(["report"]).status(0).stdout("100%");
}

#[test]
fn a_folder_of_artifacts_is_combined() {
    let dir = shards();
    let expected = expected(&dir);
    run_python(&dir, MAKE);
    dir.write("each/logs.zip", [&b"PK\x05\x06"[..], &[0; 18]].concat());
    dir.write("each/notes.txt", "about");
    let ran = dir.pulpcov(["combine", "each"]).status(0);
    assert_eq!(
        ran.stderr,
        "each/logs.zip: no file in it is a data file named .coverage or .coverage.*\nCombined 4 files\n"
    );
    assert_eq!(Rows::by_sql(dir.path(".coverage")), expected);
    // By name, in any order, with the same bytes; who names an archive expects data in it.
    let first = fs::read(dir.path(".coverage")).unwrap();
    let named = [
        "combine",
        "each/coverage-data-3.zip",
        "each/coverage-data-1.zip",
        "each/coverage-data-2.zip",
    ];
    dir.pulpcov(named).status(0);
    assert_eq!(fs::read(dir.path(".coverage")).unwrap(), first);
    let ran = dir.pulpcov(["combine", "each/logs.zip", "each/coverage-data-1.zip"]).status(3);
    ran.stderr("left out: each/logs.zip: no file in it is a data file");
    // Inputs have names, and files of other archives with the same bytes are skipped.
    let ran = dir.pulpcov(["combine", "--debug=combine", "each", "all/nested.zip"]).status(0);
    let ran = ran.stderr("Looking into archive each/coverage-data-3.zip");
    let inside = "shards/3/.coverage.host.pid7.Xabcdefgx";
    let line = format!("Combined data file all/nested.zip!/artifacts/coverage.tar.gz!/{inside}\n");
    let ran = ran.stderr(&line);
    let ran = ran.stderr(&format!("Skipping duplicate data each/coverage-data-3.zip!/{inside}\n"));
    ran.stderr("Combined 4 files, skipped 4");
    assert_eq!(Rows::by_sql(dir.path(".coverage")), expected);
}

/// What coverage.py finds in a folder is not changed by archives that lie there.
#[test]
fn archives_beside_data_files_are_named() {
    let dir = shards();
    run_python(&dir, MAKE);
    fs::copy(dir.path("shards/2/.coverage.shard2"), dir.path("each/.coverage.shard2")).unwrap();
    dir.coverage(["combine", "--keep", "each"]).status(0);
    let theirs = Rows::by_sql(dir.path(".coverage"));
    let ran = dir.pulpcov(["combine", "--keep", "each"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(".coverage")), theirs);
    let ran = ran
        .stderr("their folder has data files: each/coverage-data-1.zip, each/coverage-data-2.zip");
    ran.stderr("Combined 1 file\n");
    // The advice.
    let ran =
        dir.pulpcov(["combine", "each", "each/coverage-data-1.zip", "each/coverage-data-3.zip"]);
    ran.status(0).stderr("data files: each/coverage-data-2.zip. To").stderr("Combined 4 files\n");
    // The data file is deleted, the archives are not.
    let archives = ["coverage-data-1.zip", "coverage-data-2.zip", "coverage-data-3.zip"];
    assert_eq!(dir.names_in("each"), archives);
    // Where nobody names a folder, archives are not looked into.
    fs::rename(dir.path("each/coverage-data-1.zip"), dir.path("data.zip")).unwrap();
    fs::remove_file(dir.path(".coverage")).unwrap();
    let ran = dir.pulpcov(["combine"]).status(1).stderr("No data to combine");
    ran.stderr("There are archives: data.zip. Archives are looked into by name: name them");
    dir.pulpcov(["combine", "data.zip"]).status(0);
    dir.pulpcov(["report"]).status(0);
}

#[test]
fn a_compressed_data_file_is_an_input() {
    let dir = shards();
    run_shell(
        &dir,
        "gzip -c shards/1/.coverage > .coverage.one.gz; zstd -q shards/2/.coverage.shard2 -o two.zst
         cp shards/3/sub/.coverage* three; mkdir more; cp three more/.coverage.3; gzip more/.coverage.3",
    );
    // Nobody has named it, or its folder. So coverage.py and pulpcov leave it out.
    let ran = dir.pulpcov(["combine"]).status(1);
    ran.stderr(".coverage.one.gz: this is compressed with gzip: combine reads the data files in it if it is named");
    dir.coverage(["combine", "--keep"]).status(1).stdout("No usable data files");
    dir.pulpcov(["combine", ".", "two.zst", "more"]).status(0).stderr("Combined 3 files\n");
    assert_eq!(dir.names_in("more"), [".coverage.3.gz"]);
    assert!(dir.path(".coverage.one.gz").exists());
    let once = Rows::by_sql(dir.path(".coverage"));
    // A report does not read it again.
    dir.pulpcov(["report"]).status(0).stderr(".coverage.one.gz");
    assert_eq!(Rows::by_sql(dir.path(".coverage")), once);
    // Standard input is a data file of its own, beside others.
    let ran = run_with_input(&dir, &["combine", "-", "two.zst", "-"], "three").status(0);
    ran.stderr("Combined 2 files\n");
    run_with_input(&dir, &["combine", "-"], ".coveragerc")
        .status(1)
        .stderr("standard input: this is not in any format that coverage.py wrote");
    dir.pulpcov(["combine", "-"]).status(1).stderr("standard input: this is an empty file");
}

/// With relative files, which path came first decides. It does not depend on the archive.
#[test]
fn paths_become_the_same_as_without_an_archive() {
    let dir = Dir::new();
    dir.write(
        ".coveragerc",
        "[run]\nrelative_files = true\n[paths]\nsource =\n    src\n    */src\n",
    );
    for (number, path) in
        ["/ci/1/src/a.py", "/ci/2/src/a.py", "lib/b.py", "old/lib/b.py"].iter().enumerate()
    {
        let mut data = CoverageData::new();
        data.add_lines(*path, "", &Numbits::from_iter([number as i32 + 1])).unwrap();
        let file = dir.write(format!("in/.coverage.{number}"), "");
        store(&data, file, StoreFormat::Sqlite).unwrap();
    }
    dir.coverage(["combine", "--keep", "in"]).status(0);
    let expected = Rows::by_sql(dir.path(".coverage"));
    run_shell(&dir, "cd in; tar czf ../in.tar.gz --sort=name .; zip -qr ../in.zip .coverage.[0-3]");
    for archive in ["in.tar.gz", "in.zip"] {
        dir.pulpcov(["combine", archive]).status(0).stderr("Combined 4 files\n");
        assert_eq!(Rows::by_sql(dir.path(".coverage")), expected, "{archive}");
    }
}

/// Damage of a file leaves out the file, and damage of an archive what follows. All of it is named.
#[test]
fn damage_is_named_and_the_rest_is_combined() {
    let dir = shards();
    run_python(&dir, MAKE);
    let whole = dir.path("all/gnu.tar.gz");
    let bytes = fs::read(&whole).unwrap();
    dir.write("cut.tar.gz", &bytes[..bytes.len() - 600]);
    let ran = dir.pulpcov(["combine", "cut.tar.gz", "each/coverage-data-1.zip"]).status(3);
    ran.stderr("left out: cut.tar.gz!/shards/3/").stderr("cannot be read to its end: ");
    let mut bytes = fs::read(dir.path("all/stored.zip")).unwrap();
    let at = bytes.windows(16).position(|window| window == b"SQLite format 3\0").unwrap();
    bytes[at + 5000] ^= 1;
    dir.write("flipped.zip", &bytes);
    let ran = dir
        .pulpcov(["combine", "flipped.zip"])
        .status(3)
        .stderr("Combined 3 files, 1 file errored");
    ran.stderr("left out: flipped.zip!/shards/1/.coverage: the contents are damaged");
    dir.write("cut.zip", &bytes[..bytes.len() / 2]);
    let ran = dir.pulpcov(["combine", "cut.zip"]).status(1).stderr("No usable data files\n");
    ran.stderr("cut.zip: the archive has no end, so a part of it is missing: get it again");
    // What a server says instead of an artifact.
    fs::write(dir.path("each/coverage-data-2.zip"), "<!doctype html><title>404</title>").unwrap();
    let ran = dir.pulpcov(["combine", "each"]).status(3);
    ran.stderr("left out: each/coverage-data-2.zip: this is an HTML page")
        .stderr("Combined 3 files");
    run_shell(&dir, "tar cJf x.tar.xz shards; zip -qr -P secret secret.zip shards");
    let ran = dir.pulpcov(["combine", "x.tar.xz", "secret.zip"]).status(1);
    let ran = ran.stderr("x.tar.xz: this is compressed with xz: unpack it first");
    ran.stderr("secret.zip!/shards/1/.coverage: this is encrypted: unpack it first");
    for archive in ["cut.zip", "cut.tar.gz", "flipped.zip", "each/coverage-data-2.zip"] {
        assert!(dir.path(archive).exists());
    }
}

/// A journal or a log in an archive says that the data file beside it is not complete.
#[test]
fn what_sqlite_keeps_beside_a_data_file_is_named() {
    let dir = shards();
    run_python(
        &dir,
        "import sqlite3, shutil, zipfile
file = sqlite3.connect('shards/2/.coverage.shard2')
file.execute('pragma journal_mode = wal')
file.execute(\"insert into context (context) values ('more')\")
file.commit()
with zipfile.ZipFile('wal.zip', 'w') as archive:
    for ending in ['', '-wal', '-shm']:
        archive.write(f'shards/2/.coverage.shard2{ending}')
    archive.write('shards/1/.coverage')
    archive.writestr('shards/1/.coverage-journal', '')
",
    );
    let ran = dir.pulpcov(["combine", "wal.zip"]).status(3);
    let ran = ran.stderr(".coverage.shard2-wal: this holds changes of the data file beside it");
    ran.stderr("Combined 2 files, 1 file errored");
}

/// A bomb costs what the limits say, and ends with an error that names them.
#[test]
fn bombs_end_with_an_error() {
    let dir = shards();
    run_python(
        &dir,
        "import gzip, zipfile
zeros = bytes(1 << 24)
with zipfile.ZipFile('bomb.zip', 'w', compression=zipfile.ZIP_DEFLATED) as archive:
    with archive.open('.coverage.bomb', 'w') as member:
        member.write(b'SQLite format 3\\0')
        for _ in range(65):
            member.write(zeros)
    archive.write('shards/1/.coverage')
",
    );
    let ran =
        dir.pulpcov(["combine", "bomb.zip"]).status(3).stderr("Combined 1 file, 1 file errored");
    ran.stderr("left out: bomb.zip!/.coverage.bomb: more than 1073741824 bytes, the most that is read of one file");
}

#[test]
fn hostile_names_are_only_shown() {
    let dir = shards();
    run_python(
        &dir,
        "import io, tarfile
content = open('shards/1/.coverage', 'rb').read()
with tarfile.open('evil.tar', 'w') as archive:
    for name in ['../../.coverage.up', '/tmp/.coverage.absolute', '\\x1b[31mred/.coverage.red', 'a\\nb/.coverage.line']:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    link = tarfile.TarInfo('.coverage.link')
    link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
    archive.addfile(link)
",
    );
    let before = dir.names();
    let ran = dir.pulpcov(["combine", "--debug=combine", "evil.tar"]).status(0);
    assert!(!ran.stderr.contains('\x1b') && ran.stderr.lines().count() == 6, "{}", ran.stderr);
    let ran = ran.stderr("evil.tar!/?[31mred/.coverage.red").stderr("a?b/.coverage.line");
    ran.stderr("Combined 1 file, skipped 3");
    let after: Vec<String> = dir.names().into_iter().filter(|name| name != ".coverage").collect();
    assert_eq!(after, before);
}

/// Who wrote an archive may have written what is in it.
#[test]
fn the_authors_of_an_archive_are_those_of_its_files() {
    if !is_root() {
        return;
    }
    let dir = shards();
    run_python(&dir, MAKE);
    let archive = dir.path("each/coverage-data-1.zip");
    std::os::unix::fs::chown(&archive, Some(1234), None).unwrap();
    let authors = |path: &Path| {
        let data = DataFile::open(path).unwrap().read().unwrap().data;
        let authors = data.files().map(|file| file.authors().clone()).collect::<Vec<_>>();
        assert_eq!(authors.len(), 1);
        authors[0].clone()
    };
    dir.pulpcov(["combine", "each/coverage-data-1.zip"]).status(0);
    assert_eq!(authors(&dir.path(".coverage")), Author::User(1234).into());
    run_with_input(&dir, &["combine", "-"], "each/coverage-data-1.zip").status(0);
    assert_eq!(authors(&dir.path(".coverage")), Author::User(1234).into());
    dir.pulpcov(["combine", "each"]).status(0);
    assert_eq!(authors(&dir.path(".coverage")), Authors::Caller);
}

/// Other commands say what to do with an archive.
#[test]
fn a_report_of_an_archive_names_the_way() {
    let dir = shards();
    run_python(&dir, MAKE);
    let archive = "each/coverage-data-1.zip";
    let ran = dir.pulpcov(["report", "--data-file", archive]).status(1);
    ran.stderr(
        "each/coverage-data-1.zip: this is a zip archive: combine reads the data files in it if it is named",
    );
    dir.pulpcov(["combine", archive]).status(0);
    dir.pulpcov(["report"]).status(0);
}

/// A stream of any length is read as it comes.
#[test]
fn a_pipe_is_read_to_its_end() {
    let dir = shards();
    let expected = expected(&dir);
    let mut tar = Command::new("tar")
        .args(["cf", "-", "shards"])
        .current_dir(dir.path(""))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut command = pulpcov();
    command.args(["combine", "-"]).current_dir(dir.path("")).stdin(tar.stdout.take().unwrap());
    Ran::from(command.output().unwrap()).status(0).stderr("Combined 4 files\n");
    assert!(tar.wait().unwrap().success());
    assert_eq!(Rows::by_sql(dir.path(".coverage")), expected);
}

/// What is behind the end of an archive, or beside its directory, is not lost in silence.
#[test]
fn data_that_an_archive_hides_is_told() {
    let dir = shards();
    run_python(
        &dir,
        "import io, struct, tarfile, zipfile
names = ['shards/2/.coverage.shard2', 'shards/3/.coverage.host.pid7.Xabcdefgx']
for name, mode in (('a.tar', 'w'), ('a.tgz', 'w:gz')):
    both = b''
    for file in names:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as archive:
            archive.add(file)
        both += out.getvalue()
    open(name, 'wb').write(both)
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as archive:
    for file in names:
        archive.write(file)
data = bytearray(out.getvalue())
end = data.rfind(b'PK\\5\\6')
entries = [at for at in range(len(data)) if data[at:at + 4] == b'PK\\1\\2']
struct.pack_into('<I', data, end + 12, entries[1] - entries[0])
open('a.zip', 'wb').write(data)
",
    );
    for (name, message) in [
        ("a.tar", "there is more behind the end of the archive"),
        ("a.tgz", "there is more behind the end of the archive"),
        ("a.zip", "its directory cannot be understood"),
    ] {
        let ran = dir.pulpcov(["combine", name]).status(3);
        assert!(ran.stderr.contains(message), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("Combined 1 file"), "{name}: {}", ran.stderr);
    }
}
