//! Data that does not fit in memory.

use std::fs;
use std::ops::Range;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};

use crate::support::{Dir, Ran, pulpcov, python};

const INPUTS: usize = 68;
const FILES: usize = 100;
const CONTEXTS: usize = 20;
const GIB: u64 = 1 << 30;

/// Returns numbits with line numbers up to 68,000, which differ for every input, file and context.
fn lines(input: usize, file: usize, context: usize) -> Vec<u8> {
    let mut bytes = vec![0x5a; 8500];
    let row = (input * FILES + file) * CONTEXTS + context;
    bytes[..8].copy_from_slice(&row.to_le_bytes());
    bytes
}

fn context(input: usize, context: usize) -> String {
    format!("test_{input}_{context}")
}

/// A Python program that runs its arguments as a command, and prints the command's peak memory in KiB.
const PEAK: &str = "import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";

/// Writes the inputs with these numbers.
fn inputs(dir: &Dir, inputs: Range<usize>) {
    for input in inputs {
        let mut data = CoverageData::new();
        for file in 0..FILES {
            for number in 0..CONTEXTS {
                let lines = Numbits::from_bytes(&lines(input, file, number));
                data.add_lines(format!("{file}.py"), &context(input, number), &lines).unwrap();
            }
        }
        store(&data, dir.path(format!(".coverage.host.pid{input}.Xabcdefx")), StoreFormat::Sqlite)
            .unwrap();
    }
}

/// Runs the command, and checks that it takes less than 256 MiB.
fn in_little_memory(dir: &Dir, arguments: &[&str]) {
    let mut measured = python();
    measured.args(["-c", PEAK]).arg(pulpcov().get_program()).args(arguments);
    let output = measured.current_dir(dir.path("")).output().unwrap();
    let ran = Ran::from(output).status(0);
    let peak: u64 = ran.stdout.trim().lines().last().unwrap().parse().unwrap();
    assert!(peak < 256 << 10, "{peak} KiB, {arguments:?}");
}

#[test]
fn a_result_of_a_gibibyte_takes_a_quarter_of_it_in_memory() {
    let dir = Dir::new();
    // With --append, the old data file does not fit either.
    for (some, arguments) in [
        (0..INPUTS / 2, &["combine", "--quiet"][..]),
        (INPUTS / 2..INPUTS, &["combine", "--quiet", "--append"]),
    ] {
        inputs(&dir, some);
        in_little_memory(&dir, arguments);
        assert_eq!(dir.names_in(""), [".coverage"], "inputs are gone, and temporary files too");
    }
    assert!(fs::metadata(dir.path(".coverage")).unwrap().len() > GIB);

    let db = rusqlite::Connection::open(dir.path(".coverage")).unwrap();
    let check: String = db.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut rows = db
        .prepare(
            "SELECT file.path, context.context, numbits FROM line_bits
             JOIN file ON file.id = file_id JOIN context ON context.id = context_id",
        )
        .unwrap();
    let mut rows = rows.query([]).unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        let (path, name): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let file: usize = path.strip_suffix(".py").unwrap().parse().unwrap();
        let numbers: Vec<usize> = name.split('_').skip(1).map(|n| n.parse().unwrap()).collect();
        let expected = lines(numbers[0], file, numbers[1]);
        assert!(row.get_ref(2).unwrap().as_bytes().unwrap() == expected, "{path} in {name}");
        count += 1;
    }
    assert_eq!(count, INPUTS * FILES * CONTEXTS);
}

#[test]
fn whatever_combines_does_so_in_the_same_memory() {
    for arguments in [&["report"][..], &["hook", "report", "--data-root=.", "out"]] {
        let dir = Dir::new();
        (0..FILES).for_each(|file| drop(dir.write(format!("{file}.py"), "x = 1\n")));
        inputs(&dir, 0..INPUTS / 2);
        in_little_memory(&dir, arguments);
    }
}
