//! A real Firefox without a window, and the actions that tests need.
//!
//! Firefox itself takes commands as JSON over TCP: <https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html>.
//! So no driver is needed, which Debian does not have.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::wait_until;

/// The longest time that a test waits, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The file of its profile in which Firefox writes the port that it listens on.
const PORT: &str = "MarionetteActivePort";

/// A browser with one page. It is closed when the test ends.
pub(crate) struct Firefox {
    _process: Process,
    stream: RefCell<BufReader<TcpStream>>,
    last: Cell<u64>,
    _profile: tempfile::TempDir,
}

impl Firefox {
    /// Opens a window of this many pixels.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let profile = tempfile::Builder::new().prefix("pulpcov-firefox-").tempdir().unwrap();
        let settings = "user_pref('marionette.port', 0);\nuser_pref('dom.events.testing.asyncClipboard', true);\n";
        std::fs::write(profile.path().join("user.js"), settings).unwrap();
        let process = Command::new("firefox-esr")
            .args(["--marionette", "--headless", "--no-remote", "--profile"])
            .arg(profile.path())
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|err| panic!("firefox-esr: {err}\nThe tests of the HTML report need Firefox (Debian: firefox-esr)."));
        let process = Process(process);
        let stream = RefCell::new(connect(&profile.path().join(PORT)));
        let firefox = Self { _process: process, stream, last: Cell::new(0), _profile: profile };
        firefox.receive();
        firefox.issue("WebDriver:NewSession", json!({}));
        // The window has borders.
        firefox.issue("WebDriver:SetWindowRect", json!({ "width": width, "height": height }));
        let outside = firefox.run("return [outerWidth - innerWidth, outerHeight - innerHeight]");
        let size = |inside: u32, at: usize| u64::from(inside) + outside[at].as_u64().unwrap();
        let rect = json!({ "width": size(width, 0), "height": size(height, 1) });
        firefox.issue("WebDriver:SetWindowRect", rect);
        firefox
    }

    /// Receives a message: its length, a colon, and JSON.
    fn receive(&self) -> Value {
        let mut stream = self.stream.borrow_mut();
        let mut length = Vec::new();
        stream.read_until(b':', &mut length).unwrap();
        let length = String::from_utf8_lossy(&length).trim_end_matches(':').parse().unwrap();
        let mut message = vec![0; length];
        stream.read_exact(&mut message).unwrap();
        serde_json::from_slice(&message).unwrap()
    }

    /// Sends a command, and returns the result.
    #[track_caller]
    fn issue(&self, command: &str, parameters: Value) -> Value {
        self.last.set(self.last.get() + 1);
        let message = json!([0, self.last.get(), command, parameters]).to_string();
        write!(self.stream.borrow_mut().get_mut(), "{}:{message}", message.len()).unwrap();
        let mut answer = self.receive();
        assert!(answer[2].is_null(), "{message}: {}", answer[2]);
        answer[3].take()
    }

    /// Opens a page of a report at a fragment such as `#t12`, and waits until it is drawn.
    #[track_caller]
    pub(crate) fn open_at(&self, page: impl AsRef<Path>, fragment: &str) {
        let url = format!("file://{}{fragment}", page.as_ref().display());
        for url in ["about:blank", &url] {
            self.issue("WebDriver:Navigate", json!({ "url": url }));
        }
        self.until("document.querySelector('[data-ready]')");
    }

    /// Runs the body of a function in the page, and returns its result.
    #[track_caller]
    pub(crate) fn run(&self, body: &str) -> Value {
        self.issue("WebDriver:ExecuteScript", json!({ "script": body, "args": [] }))["value"].take()
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
        wait_until(TIMEOUT, holds, || format!("never came: {expression}"));
    }

    /// Presses keys, as a user does.
    #[track_caller]
    pub(crate) fn keys(&self, keys: &str) {
        let element = self.issue("WebDriver:GetActiveElement", json!({}))["value"].take();
        let (_, id) = element.as_object().unwrap().iter().next().unwrap();
        self.issue("WebDriver:ElementSendKeys", json!({ "id": id, "text": keys }));
    }

    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let wanted = json!({ "using": "css selector", "value": selector });
        let element = self.issue("WebDriver:FindElement", wanted)["value"].take();
        let (_, id) = element.as_object().unwrap().iter().next().unwrap();
        self.issue("WebDriver:ElementClick", json!({ "id": id }));
    }

    #[track_caller]
    pub(crate) fn back(&self) {
        self.issue("WebDriver:Back", json!({}));
    }
}

/// A browser that is ended when the test ends, or when it did not start.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Connects to a browser that is starting.
fn connect(port: &Path) -> BufReader<TcpStream> {
    let connected = || {
        let port: u16 = std::fs::read_to_string(port).ok()?.trim().parse().ok()?;
        TcpStream::connect(("127.0.0.1", port)).ok()
    };
    let mut stream = None;
    let is_connected = || {
        stream = connected();
        stream.is_some()
    };
    wait_until(TIMEOUT, is_connected, || "Firefox did not start".to_owned());
    let stream = stream.unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    BufReader::new(stream)
}
