//! A real Chromium without a window, and the actions that tests need.

use std::fs::{self};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::venv;

/// The version of axe-core, which checks the accessibility of each view.
const AXE: &str = "0.1.8";

/// The longest time that a test waits for a page, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A browser with one page. It is closed when the test ends.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    driver: Child,
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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Value::Object(capabilities) = capabilities else { panic!("an object") };
        let client = runtime
            .block_on(
                ClientBuilder::new(HttpConnector::new())
                    .capabilities(capabilities)
                    .connect(&format!("http://127.0.0.1:{port}")),
            )
            .unwrap();
        Self { runtime, client, driver, _profile: profile }
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
        self.runtime.block_on(self.client.goto("about:blank")).unwrap();
        self.runtime.block_on(self.client.goto(&url)).unwrap();
        self.until("document.querySelector('[data-ready]')");
    }

    /// Runs the body of a function in the page, and returns its result.
    #[track_caller]
    pub(crate) fn run(&self, body: &str) -> Value {
        self.runtime.block_on(self.client.execute(body, Vec::new())).unwrap()
    }

    /// Returns the value of an expression in the page.
    #[track_caller]
    pub(crate) fn get(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn until(&self, expression: &str) {
        let start = Instant::now();
        while self.get(&format!("Boolean({expression})")) != true {
            assert!(start.elapsed() < TIMEOUT, "never came: {expression}\n{:?}", self.errors());
            std::thread::sleep(Duration::from_millis(20));
        }
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
        let pressed = async {
            let element = self.client.active_element().await?;
            element.send_keys(keys).await
        };
        self.runtime.block_on(pressed).unwrap();
    }

    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let clicked = async {
            let element = self.client.find(fantoccini::Locator::Css(selector)).await?;
            element.click().await
        };
        self.runtime.block_on(clicked).unwrap();
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
        self.issue("goog/cdp/execute", body);
    }

    #[track_caller]
    fn issue(&self, endpoint: &'static str, body: Value) -> Value {
        let command = Vendor { endpoint, body };
        self.runtime.block_on(self.client.issue_cmd(command)).unwrap()
    }

    /// Returns what the browser complained about since the last call: errors of scripts, of the content
    /// security policy, and of loading.
    #[track_caller]
    pub(crate) fn errors(&self) -> Vec<String> {
        let entries = self.issue("se/log", json!({ "type": "browser" }));
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// Returns the URLs that were requested since the last call.
    #[track_caller]
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.issue("se/log", json!({ "type": "performance" }));
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

    /// Returns the serious problems of accessibility that axe-core finds in the page.
    #[track_caller]
    pub(crate) fn barriers(&self) -> Vec<String> {
        self.run(axe());
        let script = "const done = arguments[arguments.length - 1]; axe.run({ preload: false }).then(found => done(found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).map(one => `${one.id}: ${one.nodes.slice(0, 4).map(node => node.html + ' ' + node.failureSummary).join(' | ')}`)), error => done([String(error)]))";
        let found = self.runtime.block_on(self.client.execute_async(script, Vec::new())).unwrap();
        serde_json::from_value(found).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver closes the browser. Either may be gone already.
        let _ = self.runtime.block_on(self.client.clone().close());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A command of Chromium's driver that is not in the WebDriver standard.
#[derive(Debug)]
struct Vendor {
    endpoint: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.endpoint))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
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
