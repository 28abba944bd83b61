//! Files that are uploaded to GitLab, SonarQube and Codecov.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{APP, HOSTILE, Repo, python_json, xmllint};
use crate::support::{Dir, Ran, pulpcov, root};

/// Packages of several files, some of which ran.
fn packages() -> Repo {
    let names: Vec<String> = ["src/a", "src/a/b", "src/c", "lib"]
        .iter()
        .flat_map(|folder| (0..4).map(move |n| format!("{folder}/m{n}.py")))
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), APP)).collect();
    let repo = Repo::of(&files);
    let list = names.iter().map(|name| format!("runpy.run_path({name:?})['f'](1)\n"));
    repo.measure(&format!("import runpy\n{}", list.collect::<String>()));
    repo
}

const READ_COBERTURA: &str = "\
import json, sys, xml.etree.ElementTree as E
found = {}
for path in sys.argv[1:]:
    root = E.parse(path).getroot()
    assert root.find('sources') is None
    lines = [line for line in root.iter('line')]
    assert int(root.get('lines-valid')) == len(lines), path
    assert int(root.get('lines-covered')) == sum(line.get('hits') != '0' for line in lines), path
    for file in root.iter('class'):
        assert file.get('filename') not in found
        found[file.get('filename')] = {line.get('number'): line.get('hits') != '0' for line in file.iter('line')}
print(json.dumps(found))
";

#[test]
fn each_part_for_gitlab_is_a_report_and_all_together_are_the_whole() {
    let repo = packages();
    let dtd = root().join("tests/fixtures/report/cobertura-04.dtd");
    let lines = serde_json::to_value(repo.lines()).unwrap();
    for (max, parts) in [(10_485_759, 1), (8_000, 2), (4_500, 4), (2_000, 16), (100, 16)] {
        let ran = repo.run(&["xml", "--gitlab", &format!("--max-bytes={max}")]).status(0);
        let names: Vec<String> = (1..=parts).map(|n| format!("cobertura-{n}.xml")).collect();
        for name in &names {
            xmllint(&repo.0, &["--dtdvalid", dtd.to_str().unwrap(), name]).status(0);
            let size = fs::metadata(repo.0.path(name)).unwrap().len();
            assert!(
                size <= max || ran.stderr.contains("this file alone is larger"),
                "{size} > {max}"
            );
        }
        assert!(
            !repo.0.path(format!("cobertura-{}.xml", parts + 1)).exists(),
            "{max}: {:?}",
            repo.0.names()
        );
        assert_eq!(python_json(&repo.0, READ_COBERTURA, &names), lines, "{max}");
    }
    // An earlier report had more parts.
    repo.run(&["xml", "--gitlab"])
        .status(0)
        .stderr("parts of an earlier report are here: cobertura-2.xml, cobertura-3.xml,");
    let ran = repo.run(&["xml", "--gitlab", "--max-bytes=4500", "-o", "one.xml"]).status(1);
    ran.stderr("the report has 4 parts, and all would be one.xml: in -o, write {} where");
    repo.run(&["xml", "--gitlab", "-q", "-o", "-"]).status(0).stdout("filename=\"src/a/b/m0.py\"");
    repo.run(&["xml", "--gitlab", "--root=."]).status(1);
    repo.run(&["xml", "--max-bytes=1"]).status(1);
    let mut command = pulpcov();
    command.current_dir(repo.0.path("src")).args([
        "xml",
        "--gitlab",
        "-q",
        "-o",
        "-",
        "--data-file=../.coverage",
    ]);
    Ran::from(command.output().unwrap()).status(0).stdout("filename=\"src/a/b/m0.py\"");
}

const READ_SONAR: &str = "\
import json, sys, xml.etree.ElementTree as E
found = {}
for file in E.parse(sys.argv[1]).getroot().iter('file'):
    lines = {}
    for line in file.iter('lineToCover'):
        branches, taken = line.get('branchesToCover', '0'), line.get('coveredBranches', '0')
        assert int(taken) <= int(branches)
        lines[line.get('lineNumber')] = line.get('covered') == 'true'
    found[file.get('path')] = lines
print(json.dumps(found))
";

#[test]
fn sonarqube_gets_the_lines_of_the_report() {
    let repo = packages();
    repo.run(&["xml", "--sonar"]).status(0).stderr("Wrote XML report to sonar.xml");
    let schema = root().join("tests/fixtures/report/sonar-generic-coverage.xsd");
    xmllint(&repo.0, &["--schema", schema.to_str().unwrap(), "sonar.xml"]).status(0);
    let lines = serde_json::to_value(repo.lines()).unwrap();
    assert_eq!(python_json(&repo.0, READ_SONAR, &["sonar.xml".into()]), lines);
    let text = fs::read_to_string(repo.0.path("sonar.xml")).unwrap();
    let line = "<lineToCover lineNumber=\"2\" covered=\"true\" branchesToCover=\"2\" coveredBranches=\"1\"/>";
    assert_eq!(text.matches(line).count(), 16);
    // A source that is gone is in no report.
    fs::remove_file(repo.0.path("lib/m0.py")).unwrap();
    repo.run(&["xml", "--sonar"]).status(1);
    repo.run(&["xml", "--sonar", "-i"]).status(0);
    assert!(!fs::read_to_string(repo.0.path("sonar.xml")).unwrap().contains("lib/m0.py"));
    // A program may read standard output.
    let ran = repo.run(&["xml", "--sonar", "-i", "-o", "-", "--fail-under=99"]).status(2);
    assert!(ran.stdout.ends_with("</coverage>\n"), "{}", ran.stdout);
    ran.stderr("is less than fail-under=99");
}

#[test]
fn codecov_gets_hits_branches_and_what_to_skip() {
    let repo = packages();
    repo.0.write("src/c/m0.py", format!("{APP}\n\ndef debug():  # pragma: no cover\n    pass\n"));
    repo.run(&["json", "--codecov"]).status(0).stderr("Wrote JSON report to codecov.json");
    let text = fs::read(repo.0.path("codecov.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(report.as_object().unwrap().keys().collect::<Vec<_>>(), ["coverage"]);
    assert_eq!(
        report["coverage"]["src/c/m0.py"],
        json!({"1": 1, "2": "1/2", "3": 1, "4": 0, "9": 0, "12": null, "13": null})
    );
    let lines = repo.lines();
    let files = report["coverage"].as_object().unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), lines.keys().collect::<Vec<_>>());
    for (name, of_file) in &lines {
        for (line, ran) in of_file {
            let value = &files[name][&line.to_string()];
            let covered = match value {
                Value::Number(hits) => hits.as_u64().unwrap() > 0,
                Value::String(part) => part.split_once('/').is_some(),
                other => panic!("{other}"),
            };
            assert_eq!(covered, *ran, "{name} {line}");
        }
    }
    repo.run(&["json", "--codecov", "--show-contexts"]).status(1);
    // A line of which no branch was taken ran all the same.
    let raises = Repo::of(&[(
        "r.py",
        "def f():\n    raise ValueError\n\n\ntry:\n    if f():\n        x = 1\nexcept ValueError:\n    x = 2\n",
    )]);
    raises.measure("import runpy\nrunpy.run_path('r.py')\n");
    raises.run(&["json", "--codecov", "-o", "-"]).status(0).stdout("\"6\":\"1/2\"");
}

/// A file that is found in two places would be lost in one of them.
#[test]
fn a_file_that_may_be_two_is_refused_with_both_names() {
    let elsewhere = Repo::of(&[("src/pkg/mod.py", APP)]);
    elsewhere.measure("import runpy\nrunpy.run_path('src/pkg/mod.py')['f'](1)\n");
    let repo = Repo::of(&[("one/pkg/mod.py", APP), ("two/pkg/mod.py", APP)]);
    fs::copy(elsewhere.0.path(".coverage"), repo.0.path(".coverage")).unwrap();
    for args in [
        &["xml", "--sonar"][..],
        &["xml", "--gitlab"],
        &["json", "--codecov"],
        &["report", "--format=github"],
    ] {
        let ran = repo.run(&[args, &["-i", "--source-root=."]].concat()).status(1);
        ran.stderr("src/pkg/mod.py: this may be any of one/pkg/mod.py, two/pkg/mod.py; --source-root names");
    }
    // The advice helps.
    repo.run(&["xml", "--sonar", "--source-root=one", "-o", "-"])
        .status(0)
        .stdout("path=\"one/pkg/mod.py\"");
    let folder = elsewhere.0.path("src");
    repo.0.write(
        ".coveragerc",
        format!("[paths]\nx =\n    {}\n    {}\n", repo.0.path("two").display(), folder.display()),
    );
    repo.run(&["xml", "--sonar", "-o", "-"]).status(0).stdout("path=\"two/pkg/mod.py\"");
}

/// Codecov takes a backslash for a slash, and XML has no control characters.
#[test]
fn names_that_services_read_as_one_are_refused() {
    for (one, other) in
        [("src/a.py", "src\\a.py"), ("a\u{1}.py", "a\u{2}.py"), ("a\u{1}.py", "a?.py")]
    {
        let repo = Repo::of(&[(one, APP), (other, APP)]);
        let run = |name: &str| {
            let name = name.replace('\\', "\\\\");
            format!("import runpy\nrunpy.run_path('{name}')['f'](1)\n")
        };
        repo.measure(&[run(one), run(other)].concat());
        for args in [
            &["json", "--codecov"][..],
            &["xml", "--sonar"],
            &["xml", "--gitlab"],
            &["report", "--format=github"],
        ] {
            repo.run(args).status(1).stderr("were both measured as this file of the repository");
        }
    }
}

#[test]
fn hostile_names_stay_in_their_place() {
    let repo = Repo::hostile();
    for command in ["report", "patch"] {
        let github = repo.run(&[command, "--format=github"]).stdout;
        for line in github.lines() {
            let kind = line.strip_prefix("::").and_then(|line| line.split(' ').next());
            assert!(kind.is_some_and(|kind| ["warning", "notice"].contains(&kind)), "{line}");
            let properties = line.split("::").nth(1).unwrap();
            assert!(properties.contains("title="), "{line}");
        }
        assert!(github.contains("file=src/a%25b%2Cc%3Ad.py,line=4"), "{github}");
        assert!(!github.contains(['\x1b', '\r', '\u{202e}']), "{github}");
        let issues = repo.code_quality(&[command, "--format=gitlab"]);
        let paths: BTreeSet<&str> =
            issues.iter().map(|issue| issue["location"]["path"].as_str().unwrap()).collect();
        assert_eq!(paths, BTreeSet::from(HOSTILE));
    }
    // JSON and XML have each name as it is. XML has no escape for the escape character.
    let codecov: Value =
        serde_json::from_str(&repo.run(&["json", "--codecov", "-o", "-"]).status(0).stdout)
            .unwrap();
    let names: BTreeSet<&str> =
        codecov["coverage"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(HOSTILE));
    let in_xml: BTreeSet<String> = HOSTILE.iter().map(|name| name.replace('\x1b', "?")).collect();
    repo.run(&["xml", "--sonar"]).status(0);
    repo.run(&["xml", "--gitlab"]).status(0);
    for (file, key) in [("sonar.xml", "path"), ("cobertura-1.xml", "filename")] {
        xmllint(&repo.0, &[file]).status(0);
        let code = "import sys, json, xml.etree.ElementTree as E\nkey = sys.argv[2]\nprint(json.dumps([e.get(key) for e in E.parse(sys.argv[1]).iter() if e.get(key)]))";
        let names = python_json(&repo.0, code, &[file.into(), key.into()]);
        let names: BTreeSet<String> = names
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, in_xml, "{file}");
    }
}

/// What a program reads has no message in it.
#[test]
fn errors_are_not_in_what_programs_read() {
    let repo = Repo::new();
    repo.0.write("src/app.py", "def broken(:\n");
    for args in [
        &["report", "--format=gitlab"][..],
        &["report", "--format=github"],
        &["report", "--format=markdown", "--max-bytes=1000"],
        &["xml", "--sonar", "-o", "-"],
        &["xml", "--gitlab", "-o", "-"],
        &["json", "--codecov", "-o", "-"],
    ] {
        let ran = repo.run(args).status(1).stderr("Couldn't parse");
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    let empty = Dir::new();
    let ran = empty.pulpcov(["report", "--format=gitlab"]).status(1).stderr("No data to report");
    assert_eq!(ran.stdout, "");
}

#[test]
fn what_no_service_could_show_is_refused() {
    let repo = Repo::new();
    repo.run(&["xml", "--sonar", "--max-bytes=5"]).status(1).stderr("cannot be used with");
    for part in 2..5 {
        repo.0.write(format!("cobertura-{part}.xml"), "");
    }
    let ran = repo.run(&["xml", "--gitlab"]).status(0);
    ran.stderr("parts of an earlier report are here: cobertura-2.xml, cobertura-3.xml, cobertura-4.xml; remove them");
    let elsewhere = Dir::new();
    fs::copy(repo.0.path(".coverage"), elsewhere.path(".coverage")).unwrap();
    for args in [&["xml", "--sonar"][..], &["json", "--codecov"], &["report", "--format=github"]] {
        elsewhere.pulpcov(args).status(1).stderr("no file of the report is in ");
    }
}
