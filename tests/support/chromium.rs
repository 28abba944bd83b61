//! A real Chromium without a window, and the actions that tests need.
//!
//! Its driver takes commands as JSON over HTTP: <https://www.w3.org/TR/webdriver2/>. Tests need few of them, and a client
//! for all would be a fifth of everything that is compiled for tests.

use std::fs;
use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{venv, wait_until};

/// The version of axe-core, which checks the accessibility of each view.
const AXE: &str = "0.1.8";

/// The longest time that a test waits for a page, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest time that a test waits for an answer of the driver. A page may be loading.
const ANSWER: Duration = Duration::from_secs(300);

/// A browser with one page. It is closed when the test ends.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens a window of this many pixels.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|err| panic!("chromedriver: {err}\nThe tests of the HTML report need Chromium (Debian and Ubuntu: chromium and chromium-driver)."));
        let port = port_of(&mut driver);
        let profile = tempfile::Builder::new().prefix("pulpcov-chromium-").tempdir().unwrap();
        let mut args: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        .map(str::to_owned)
        .into();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        args.push(format!("--window-size={width},{height}"));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = request(port, "POST", "/session", &body).unwrap();
        let session = session["sessionId"].as_str().unwrap().to_owned();
        Self { driver, port, session, _profile: profile }
    }

    /// Sends a command of the session, and returns the value of the answer.
    #[track_caller]
    fn issue(&self, method: &str, command: &str, body: Value) -> Value {
        let path = format!("/session/{}/{command}", self.session);
        let answer = request(self.port, method, &path, &body);
        answer.unwrap_or_else(|err| panic!("{command} {body}: {err}"))
    }

    /// Sends a command about an element of the page.
    #[track_caller]
    fn issue_to(&self, element: &Value, command: &str, body: Value) {
        let (_, id) = element.as_object().unwrap().iter().next().unwrap();
        self.issue("POST", &format!("element/{}/{command}", id.as_str().unwrap()), body);
    }

    /// Opens a page of a report, and waits until it is drawn.
    #[track_caller]
    pub(crate) fn open(&self, page: impl AsRef<Path>) {
        self.open_at(page, "");
    }

    /// Opens a page at a fragment such as `#t12`.
    #[track_caller]
    pub(crate) fn open_at(&self, page: impl AsRef<Path>, fragment: &str) {
        let url = format!("file://{}{fragment}", page.as_ref().display());
        for url in ["about:blank", &url] {
            self.issue("POST", "url", json!({ "url": url }));
        }
        self.until("document.querySelector('[data-ready]')");
    }

    /// Runs the body of a function in the page, and returns its result.
    #[track_caller]
    pub(crate) fn run(&self, body: &str) -> Value {
        self.issue("POST", "execute/sync", json!({ "script": body, "args": [] }))
    }

    /// Returns the value of an expression in the page.
    #[track_caller]
    pub(crate) fn get(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn until(&self, expression: &str) {
        let holds = || self.get(&format!("Boolean({expression})")) == true;
        wait_until(TIMEOUT, holds, || format!("never came: {expression}\n{:?}", self.errors()));
    }

    /// Waits until an expression has this value.
    #[track_caller]
    pub(crate) fn until_is(&self, expression: &str, value: impl Into<Value>) {
        let value = value.into();
        let start = Instant::now();
        loop {
            let found = self.get(expression);
            if found == value {
                return;
            }
            assert!(start.elapsed() < TIMEOUT, "{expression} is {found}, not {value}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys, as a user does.
    #[track_caller]
    pub(crate) fn keys(&self, keys: &str) {
        let element = self.issue("GET", "element/active", Value::Null);
        self.issue_to(&element, "value", json!({ "text": keys }));
    }

    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let element =
            self.issue("POST", "element", json!({ "using": "css selector", "value": selector }));
        self.issue_to(&element, "click", json!({}));
    }

    /// Sets the colour scheme that the user prefers.
    #[track_caller]
    pub(crate) fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Shows pages as a printer would show them.
    #[track_caller]
    pub(crate) fn print_preview(&self) {
        self.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" }));
        self.run("dispatchEvent(new Event('beforeprint'))");
    }

    /// Shows pages as a window shows them again.
    #[track_caller]
    pub(crate) fn no_print_preview(&self) {
        self.devtools("Emulation.setEmulatedMedia", json!({ "media": "" }));
        self.run("dispatchEvent(new Event('afterprint'))");
    }

    /// Prints the page as PDF, and returns the text on the paper.
    #[track_caller]
    pub(crate) fn print(&self) -> String {
        let pdf = self.issue("POST", "print", json!({}));
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut decoder = Command::new("base64")
            .arg("--decode")
            .stdin(Stdio::piped())
            .stdout(file.reopen().unwrap())
            .spawn()
            .unwrap();
        decoder.stdin.take().unwrap().write_all(pdf.as_str().unwrap().as_bytes()).unwrap();
        assert!(decoder.wait().unwrap().success());
        let text =
            Command::new("pdftotext").args(["-raw".as_ref(), file.path(), "-".as_ref()]).output();
        let text = text.unwrap_or_else(|err| panic!("pdftotext: {err}"));
        String::from_utf8_lossy(&text.stdout).into_owned()
    }

    /// Lets no scripts of pages run. Those of tests do.
    #[track_caller]
    pub(crate) fn allow_scripts(&self, allowed: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !allowed }));
    }

    /// Runs a script in each page before its own scripts.
    #[track_caller]
    pub(crate) fn run_first(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// Lets pages read the clipboard, as a user may.
    #[track_caller]
    pub(crate) fn allow_clipboard(&self) {
        for name in ["clipboard-read", "clipboard-write"] {
            let permission = json!({ "name": name });
            self.devtools(
                "Browser.setPermission",
                json!({ "permission": permission, "setting": "granted" }),
            );
        }
    }

    /// Resizes the window.
    #[track_caller]
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    #[track_caller]
    fn devtools(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.issue("POST", "goog/cdp/execute", body);
    }

    /// Returns what the browser complained about since the last call: errors of scripts, of the content
    /// security policy, and of loading.
    #[track_caller]
    pub(crate) fn errors(&self) -> Vec<String> {
        let entries = self.issue("POST", "se/log", json!({ "type": "browser" }));
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// Returns the URLs that were requested since the last call.
    #[track_caller]
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.issue("POST", "se/log", json!({ "type": "performance" }));
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter_map(|entry| {
                let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
                let event = &event["message"];
                let is_request = event["method"] == "Network.requestWillBeSent";
                is_request
                    .then(|| event["params"]["request"]["url"].as_str().unwrap_or("?").to_owned())
            })
            .collect()
    }

    /// Returns the problems of accessibility that axe-core finds in the page, of all levels.
    ///
    /// With a mouse, source lines are not as high as a finger, nor is what stands in them. For fingers they are.
    #[track_caller]
    pub(crate) fn barriers(&self) -> Vec<String> {
        self.run(axe());
        let script = "const done = arguments[arguments.length - 1]; axe.run({ preload: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag2aaa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice', 'experimental'] }).then(found => done(found.violations.map(one => ({ ...one, nodes: one.nodes.filter(node => !(one.id === 'target-size' && /^<(a href=\"[^\"]*#t(\\d+)\">\\2<|button class=\"ctx\"|summary)/.test(node.html))) })).filter(one => one.nodes.length).map(one => `${one.id}: ${one.nodes.slice(0, 4).map(node => node.html + ' ' + node.failureSummary).join(' | ')}`)), error => done([String(error)]))";
        let found = self.issue("POST", "execute/async", json!({ "script": script, "args": [] }));
        serde_json::from_value(found).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver closes the browser. Either may be gone already.
        let _ = request(self.port, "DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Sends a request to the driver, and returns the value of its answer, or the error that it tells.
fn request(port: u16, method: &str, path: &str, body: &Value) -> Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWER))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let (mut stream, mut line, mut length) = (BufReader::new(stream), String::new(), 0);
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(Error::other)?;
        }
        if line.trim_end().is_empty() {
            break;
        }
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    let mut answer: Value = serde_json::from_slice(&answer)?;
    let value = answer["value"].take();
    if value["error"].is_string() { Err(Error::other(value.to_string())) } else { Ok(value) }
}

/// Returns the port that the driver listens on, which it prints.
fn port_of(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap());
    let mut line = String::new();
    let port = loop {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "chromedriver does not say its port");
        if let Some((_, port)) = line.split_once("successfully on port ") {
            break port.trim().trim_end_matches('.').parse().unwrap();
        }
    };
    // All further output has to be read, or the driver would block on a full pipe.
    std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
    port
}

/// Returns the script of axe-core. A package for Python contains it.
fn axe() -> &'static str {
    static SCRIPT: OnceLock<String> = OnceLock::new();
    SCRIPT.get_or_init(|| {
        let packages = ["--no-deps".to_owned(), format!("axe-playwright-python=={AXE}")];
        let library = venv(&format!("axe-{AXE}"), &packages).join("lib");
        let python = fs::read_dir(library).unwrap().next().unwrap().unwrap().path();
        let script = python.join("site-packages/axe_playwright_python/axe.min.js");
        fs::read_to_string(script).unwrap()
    })
}
