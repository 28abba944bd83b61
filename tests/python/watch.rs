//! `pulpcov watch` and `pulpcov hook report`: reports of processes that still run.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Lines, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::hooked::{Hooked, Running, line_of_step, name, record, watched};
use crate::support::is_root;
use crate::support::{Dir, Ran, Rows, neutral, pulpcov};

/// A watch with a short interval, and its messages.
struct Watch {
    process: Running,
    said: Lines<BufReader<ChildStderr>>,
    xml: PathBuf,
}

impl Watch {
    /// Watches `folder`, and writes the report to `to`.
    fn start(folder: PathBuf, to: &Dir) -> Self {
        let xml = to.path("coverage.xml");
        let mut command = pulpcov();
        command.arg("watch").arg(folder).arg("--xml").arg(&xml).args(["--interval", "100ms"]);
        let mut process = Running::start(command.current_dir(to.path("")).stderr(Stdio::piped()));
        let said = BufReader::new(process.0.stderr.take().unwrap()).lines();
        Self { process, said, xml }
    }

    /// Returns the next line of its messages.
    #[track_caller]
    fn line(&mut self) -> String {
        self.said.next().unwrap().unwrap()
    }

    /// Returns how often a line of `shop.steps` ran, according to the report. Returns `None` if the report
    /// lacks it.
    fn step_hits(&self, step: i32) -> Option<i32> {
        let text = fs::read_to_string(&self.xml).unwrap();
        let class = text.split("<class ").find(|class| class.contains("steps.py"))?;
        let mark = format!("number=\"{}\" hits=\"", line_of_step(step));
        class.split(&mark).nth(1)?.split('"').next()?.parse().ok()
    }
}

#[test]
fn the_report_grows_while_a_process_runs() {
    let hooked = Hooked::new().installed(&["--flush-interval", "100ms"]);
    let mut watch = Watch::start(hooked.root(), &hooked.dir);
    assert!(watch.line().contains("No data to report"));
    let _service = Running::start(hooked.drive("steps").env("PAUSE", "0.05").stdout(Stdio::null()));
    let mut reports = Vec::new();
    while !reports.contains(&Some(1)) || reports.len() < 3 {
        assert!(watch.line().starts_with("Read 1 of 1 data files"));
        reports.push(watch.step_hits(40));
    }
    assert_eq!(reports[0], Some(0), "{reports:?}");
    assert_eq!(watch.step_hits(399), Some(0));
    assert_eq!(hooked.files().len(), 1, "the data file is still there");
}

#[test]
fn it_ends_cleanly_on_sigint_and_sigterm() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let dir = Dir::new();
        fs::create_dir(dir.path("data")).unwrap();
        let mut watch = Watch::start(dir.path("data"), &dir);
        watch.line();
        watch.process.signal(signal);
        assert_eq!(watch.process.0.wait().unwrap().code(), Some(0));
        assert!(dir.names().is_empty(), "nothing is left behind: {:?}", dir.names());
    }
}

#[test]
fn only_what_changed_is_read_again_and_what_is_half_written_is_taken_next_time() {
    let hooked = Hooked::new().installed(&[]);
    for step in ["1", "2", "3"] {
        let mut command = hooked.drive("steps");
        let ran = command.env("PAUSE", "0").env("STEPS", step).stdout(Stdio::null()).status();
        assert!(ran.unwrap().success());
    }
    let files = hooked.files();
    let whole = fs::read(&files[2]).unwrap();
    fs::write(&files[2], &whole[..whole.len() / 2]).unwrap();
    let mut watch = Watch::start(hooked.root(), &hooked.dir);
    assert!(watch.line().starts_with("Read 2 of 3 data files"));
    // The file stays half-written, so the reason cannot be that a process is writing it.
    let complaint = watch.line();
    assert!(complaint.contains("left out") && complaint.contains(".coverage."), "{complaint}");
    fs::write(&files[2], &whole).unwrap();
    assert!(watch.line().starts_with("Read 1 of 3 data files"));
    assert_eq!([1, 2, 3, 4].map(|step| watch.step_hits(step)), [1, 1, 1, 0].map(Some));
    // After a combine, the rows are in the file without a suffix.
    let mut combine = pulpcov();
    combine.args(["combine", "--rcfile="]).current_dir(hooked.root());
    Ran::from(combine.output().unwrap()).status(0);
    while hooked.root().join(".coverage").exists() && !watch.line().starts_with("Read 1 of 1 ") {}
    assert_eq!([1, 2, 3, 4].map(|step| watch.step_hits(step)), [1, 1, 1, 0].map(Some));
}

#[test]
fn a_report_of_a_hook_keeps_the_data_unless_it_is_told_to_erase_it() {
    let hooked = Hooked::new().installed(&["--branch"]);
    assert!(hooked.drive("threads").status().unwrap().success());
    let rows = hooked.rows();
    let report = |more: &[&str]| {
        let mut command = pulpcov();
        command.args(["hook", "report", "report", "--data-root"]).arg(hooked.root()).args(more);
        Ran::from(command.current_dir(hooked.dir.path("")).output().unwrap())
    };
    let ran = report(&[]).status(0).stdout("shop/work.py").stdout("TOTAL");
    assert_eq!(hooked.files().len(), 1);
    assert!(Rows::by_sql(hooked.dir.path("report/.coverage")) == rows);
    assert!(
        fs::read_to_string(hooked.dir.path("report/coverage.xml"))
            .unwrap()
            .contains("shop/work.py")
    );
    assert!(hooked.dir.path("report/html/index.html").exists());
    assert_eq!(report(&["--erase"]).status(0).stdout, ran.stdout);
    assert!(hooked.files().is_empty());
    report(&[]).status(1).stderr("No data to combine");
    assert!(Rows::by_sql(hooked.dir.path("report/.coverage")) == rows, "what is there stays");
}

/// Sends a request. Returns the answer's status line and headers, and its body.
fn request(address: &str, method: &str, path: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn pages_that_change_are_written_and_served_while_it_runs() {
    pages_are_served(&["--serve-token", "none"], Some(false));
}

#[test]
fn a_secret_part_of_the_address_is_asked_for() {
    pages_are_served(&["--serve-token", "random"], Some(true));
}

#[test]
fn root_serves_behind_a_secret_and_others_do_not() {
    pages_are_served(&[], None);
}

/// Checks that pages follow the data, and that only permitted requests are answered. `has_token` says whether
/// the address has to have a secret part.
fn pages_are_served(args: &[&str], has_token: Option<bool>) {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    let out = hooked.dir.path("out");
    let mut command = pulpcov();
    command.args(["watch", "data", "--html", "out", "--interval", "100ms"]);
    command.args(["--serve", "127.0.0.1:0"]).args(args).current_dir(hooked.dir.path(""));
    let mut process = Running::start(command.stderr(Stdio::piped()));
    let mut said = BufReader::new(process.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let serving = said.next().unwrap();
    let (address, secret) =
        serving.strip_prefix("Serving on http://").unwrap().split_once('/').unwrap();
    assert_eq!(!secret.is_empty(), has_token.unwrap_or_else(is_root), "{serving}");
    let to = |path: &str| format!("/{secret}{}", path.strip_prefix('/').unwrap());
    assert!(said.next().unwrap().starts_with("Read 1 of 1 data files"));
    let page = |name: &str| {
        let names = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
        names.into_iter().find(|path| path.to_string_lossy().ends_with(name)).unwrap()
    };
    let state = |name: &str| {
        let path = page(name);
        (fs::metadata(&path).unwrap().ino(), fs::read_to_string(path).unwrap())
    };
    let before = ["steps_py.html", "work_py.html", "live.data.js"].map(state);
    record(&hooked, "2");
    assert!(said.next().unwrap().starts_with("Read 1 of 2 data files"));
    let after = ["steps_py.html", "work_py.html", "live.data.js"].map(state);
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1], after[1], "nothing about it has changed");
    assert_ne!(before[2].1, after[2].1);
    // The folder has the report, and no temporary files.
    let hidden = fs::read_dir(&out).unwrap().map(|entry| name(&entry.unwrap().path()));
    assert_eq!(hidden.filter(|name| name.starts_with('.')).collect::<Vec<_>>(), [".gitignore"]);

    let (head, body) = request(address, "GET", &to("/"), "localhost");
    assert!(head.contains(" 200 ") && head.contains("cache-control: no-store"), "{head}");
    assert!(body.contains("live_") && body.contains("steps.py"), "{body}");
    assert_eq!(request(address, "GET", &to("/live.data.js?1"), address).1, after[2].1);
    for (method, path, host, status) in [
        ("GET", "/../data/x.html", "localhost", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", "localhost", 404),
        ("GET", "//etc/passwd", "localhost", 404),
        ("GET", "/.gitignore", "localhost", 404),
        ("GET", "/status.json", "localhost", 404),
        ("GET", "/link.html", "localhost", 404),
        ("POST", "/", "localhost", 405),
        ("DELETE", "/index.html", "localhost", 405),
        ("GET", "/", "evil.example", 403),
        ("GET", "/", "localhost.evil.example", 403),
    ] {
        if path == "/link.html" {
            std::os::unix::fs::symlink("/etc/passwd", out.join("link.html")).unwrap();
        }
        let head = request(address, method, &to(path), host).0;
        assert!(head.contains(&format!(" {status} ")), "{method} {path} for {host}: {head}");
    }
    if !secret.is_empty() {
        let others = [
            "/".to_owned(),
            "/index.html".to_owned(),
            format!("/x{secret}"),
            format!("/{}", &secret[1..]),
        ];
        for path in others {
            let (head, body) = request(address, "GET", &path, "localhost");
            assert!(head.contains(" 403 "), "{path}: {head}");
            assert_eq!(
                body,
                "Open the address that `pulpcov watch` printed, with its secret part\n"
            );
        }
        let bare = format!("/{}", secret.trim_end_matches('/'));
        let (head, _) = request(address, "GET", &bare, "localhost");
        assert!(head.contains(" 308 ") && head.contains(&format!("location: {bare}/")), "{head}");
        assert!(request(address, "GET", &bare, "evil.example").0.contains(" 403 "));
    }
    process.signal(Signal::SIGTERM);
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
}

/// Returns whether the server closes a connection that a client holds, within the time that a test may take.
fn is_closed(mut stream: TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let ended = stream.read_to_end(&mut Vec::new());
    !ended.is_err_and(|err| err.kind() == ErrorKind::WouldBlock)
}

#[test]
fn idle_connections_keep_nobody_out() {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    let mut command = neutral(Command::new("sh"));
    command.args(["-c", "ulimit -n 256; exec \"$0\" \"$@\""]).arg(pulpcov().get_program());
    command.args(["watch", "data", "--html", "out", "--interval", "100ms"]);
    command.args(["--serve", "127.0.0.1:0", "--serve-token", "none"]);
    let command = command.current_dir(hooked.dir.path("")).stderr(Stdio::piped());
    let mut process = Running::start(command);
    let mut said = BufReader::new(process.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let serving = said.next().unwrap();
    let address = serving.strip_prefix("Serving on http://").unwrap().trim_end_matches('/');
    assert!(said.next().unwrap().starts_with("Read 1 of 1 data files"));
    // More connections than descriptors. Some send nothing, others never end their request, or do not read
    // the answer.
    let begun = ["", "GET / HT", "GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n"];
    let hold = |number: usize| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(begun[number % 3].as_bytes()).unwrap();
        stream
    };
    let held: Vec<TcpStream> = (0..300).map(hold).collect();
    for _ in 0..5 {
        let (head, body) = request(address, "GET", "/", "localhost");
        assert!(head.contains(" 200 ") && body.contains("steps.py"), "{head}");
    }
    let open = fs::read_dir(format!("/proc/{}/fd", process.0.id())).unwrap().count();
    assert!(open < 128, "{open} descriptors are open");
    // The report still follows the data.
    record(&hooked, "2");
    assert!(said.next().unwrap().starts_with("Read 1 of 2 data files"));
    // Even the newest connections, which need not make room for others, are closed because they are idle.
    assert!(held.into_iter().rev().all(is_closed));
}

#[test]
fn it_is_served_to_this_machine_only() {
    let dir = Dir::new();
    for address in ["0.0.0.0:0", "192.168.0.1:80", "[::]:80", "nonsense"] {
        dir.pulpcov(["watch", ".", "--html", "out", "--serve", address]).status(1);
    }
    dir.pulpcov(["watch", ".", "--xml", "x", "--serve", "127.0.0.1:0"]).status(1);
    dir.pulpcov(["watch", "."]).status(1).stderr("--html");
    dir.pulpcov(["watch", "nowhere", "--xml", "x"]).status(1).stderr("nowhere: is no folder");
}

/// Serves a folder to a browser, and sends the path of each request to the receiver.
fn count_requests(folder: PathBuf) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            // A browser opens connections that it does not use.
            if BufReader::new(&stream).read_line(&mut line).is_err() {
                continue;
            }
            let path = line.split(' ').nth(1).unwrap_or("/").split('?').next().unwrap().to_owned();
            let content = fs::read(folder.join(path.trim_start_matches('/'))).unwrap_or_default();
            let kind = if path.ends_with(".js") { "text/javascript" } else { "text/html" };
            let head = format!(
                "HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\r\n",
                content.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &content].concat());
            if sender.send(path).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

#[test]
fn an_open_page_is_loaded_again_when_the_report_has_changed() {
    let (hooked, _watch) = watched();
    let (address, requests) = count_requests(hooked.dir.path("out"));
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]);
    // Without this option, a headless browser ends when the page is loaded.
    browser.arg("--remote-debugging-port=0");
    browser.arg(format!("--user-data-dir={}", hooked.dir.path("profile").display()));
    browser.arg(format!("http://{address}/index.html")).stdout(Stdio::null()).stderr(Stdio::null());
    let _browser = Running::start(&mut browser);
    let next = |wanted: &str| {
        while requests.recv_timeout(Duration::from_secs(60)).unwrap() != wanted {}
    };
    next("/index.html");
    // The page looks for news, finds none, and looks again.
    for _ in 0..3 {
        let request = loop {
            let request = requests.recv_timeout(Duration::from_secs(60)).unwrap();
            if request == "/index.html" || request == "/live.data.js" {
                break request;
            }
        };
        assert_eq!(request, "/live.data.js");
    }
    record(&hooked, "2");
    next("/index.html");
}
