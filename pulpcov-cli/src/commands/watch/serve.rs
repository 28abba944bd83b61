//! Serves the report over HTTP to browsers on this machine. Only files of one folder are served, read-only.
//!
//! Every user of the machine can connect. The token, if there is one, is the first part of every path. Links
//! between pages are relative, so they keep it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::fcntl::OFlag;
use tokio::task::AbortHandle;

use crate::exit::Failure;

/// How long a connection may stay without a request. Browsers then open another one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections may be open: more than browsers need, and far fewer than a process's file
/// descriptors.
const CONNECTIONS: usize = 64;
/// How many bytes of a request are buffered per connection. Browsers send all cookies of this machine,
/// whatever the port.
const REQUEST: usize = 64 << 10;

/// The content type of answers that are not files of the report.
const PLAIN: &str = "text/plain";
/// The answer to a request without the token.
const WITHOUT_TOKEN: &str = "Open the address that `pulpcov watch` printed, with its secret part\n";

/// Serves the folder from a thread, until the process ends. Returns the URL.
///
/// If the address has port 0, the URL has the port that the system chose.
pub(super) fn start(
    address: SocketAddr,
    folder: &Path,
    has_token: bool,
) -> Result<String, Failure> {
    let failed = |err| Failure::Refused(format!("cannot serve at {address}: {err}"));
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let token = if has_token { Some(Token::random().map_err(failed)?) } else { None };
    let url = match &token {
        Some(token) => format!("http://{address}/{}/", token.0),
        None => format!("http://{address}/"),
    };
    let site = Arc::new(Site { folder: folder.into(), token });
    thread::spawn(move || runtime.block_on(serve(listener, site)));
    Ok(url)
}

/// A random secret in the URL.
struct Token(String);

impl Token {
    fn random() -> std::io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(Self(format!("{:032x}", u128::from_ne_bytes(bytes))))
    }

    /// Compares hashes in constant time, so that the duration reveals nothing about the token.
    fn is(&self, text: &str) -> bool {
        blake3::hash(self.0.as_bytes()) == blake3::hash(text.as_bytes())
    }
}

/// The folder that is served, and its token.
struct Site {
    folder: PathBuf,
    token: Option<Token>,
}

impl Site {
    /// Returns whether the path is the token without a trailing slash.
    fn is_token_alone(&self, path: &str) -> bool {
        let given = path.strip_prefix('/');
        self.token.as_ref().zip(given).is_some_and(|(token, given)| token.is(given))
    }

    /// Removes the token from a path. Returns `None` if the token is missing or wrong.
    fn strip_token<'p>(&self, path: &'p str) -> Option<&'p str> {
        let Some(token) = &self.token else { return Some(path) };
        let (given, _) = path.strip_prefix('/')?.split_once('/')?;
        if token.is(given) { path.get(given.len() + 1..) } else { None }
    }
}

async fn serve(listener: TcpListener, site: Arc<Site>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut connections = Connections::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Perhaps too many files are open. Some will be closed soon.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let site = Arc::clone(&site);
        let service = service_fn(move |request| {
            let response = answer(&request, &site);
            async move { Ok::<_, Infallible>(response) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT).max_buf_size(REQUEST);
        connections.add(http.serve_connection(TokioIo::new(stream), service));
        // The new connection is answered before the next one is accepted, however many wait.
        tokio::task::yield_now().await;
    }
}

/// The open connections, the oldest first.
#[derive(Default)]
struct Connections(VecDeque<AbortHandle>);

impl Connections {
    /// Serves one more connection. If there are too many, the oldest is closed: nobody can keep others out by
    /// holding all connections.
    fn add(&mut self, connection: impl Future<Output = hyper::Result<()>> + Send + 'static) {
        self.0.retain(|open| !open.is_finished());
        if self.0.len() >= CONNECTIONS
            && let Some(oldest) = self.0.pop_front()
        {
            oldest.abort();
        }
        // Errors of a connection are ignored: browsers may disconnect at any time.
        self.0.push_back(tokio::spawn(connection).abort_handle());
    }
}

fn answer<B>(request: &Request<B>, site: &Site) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return respond(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "");
    }
    if !is_for_this_machine(request) {
        return respond(StatusCode::FORBIDDEN, PLAIN, "");
    }
    let path = request.uri().path();
    if site.is_token_alone(path) {
        return redirect(&format!("{path}/"));
    }
    let Some(path) = site.strip_token(path) else {
        return respond(StatusCode::FORBIDDEN, PLAIN, WITHOUT_TOKEN);
    };
    match find(path, &site.folder).and_then(|path| read(&path)) {
        Some((bytes, kind)) => respond(StatusCode::OK, kind, bytes),
        None => respond(StatusCode::NOT_FOUND, PLAIN, ""),
    }
}

fn respond(
    status: StatusCode,
    kind: &'static str,
    content: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(content.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Redirects to a path. Links in a page are relative, so its address has to end with a slash.
fn redirect(path: &str) -> Response<Full<Bytes>> {
    let mut response = respond(StatusCode::PERMANENT_REDIRECT, PLAIN, "");
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

/// Returns whether the request names this machine as its host.
///
/// Another site could let its own name resolve to this address (DNS rebinding), and its pages could then read
/// the answer.
fn is_for_this_machine<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let in_address = request.uri().authority().map(|authority| authority.as_str());
    host.to_str().is_ok_and(is_local) && in_address.is_none_or(is_local)
}

fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.strip_prefix("localhost:").is_some_and(|port| port.parse::<u16>().is_ok())
        || host.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns the file that a path names. It is directly in the folder, and has a name of the kind that reports
/// use.
fn find(path: &str, folder: &Path) -> Option<PathBuf> {
    let name = path.strip_prefix('/')?;
    let name = if name.is_empty() { "index.html" } else { name };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (!name.starts_with('.') && name.bytes().all(is_plain)).then(|| folder.join(name))
}

/// Reads a file, and returns its bytes and content type.
///
/// Links are not followed. Only regular files are read, and opening never blocks.
fn read(path: &Path) -> Option<(Vec<u8>, &'static str)> {
    let kind = match path.extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        _ => return None,
    };
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    Some((bytes, kind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_names_of_the_folder_are_files() {
        let folder = Path::new("/out");
        for (path, file) in [
            ("/", Some("/out/index.html")),
            ("/a_py.html", Some("/out/a_py.html")),
            ("/../etc/passwd", None),
            ("/..", None),
            ("/.gitignore", None),
            ("/%2e%2e/x.html", None),
            ("/a/b.html", None),
            ("//etc/passwd", None),
            ("", None),
        ] {
            assert_eq!(find(path, folder), file.map(PathBuf::from), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leads_out_of_the_folder(path in "(/|\\.|%2[eEfF]|[a-z]|\\PC){0,12}") {
            if let Some(file) = find(&path, Path::new("/out")) {
                prop_assert_eq!(file.parent(), Some(Path::new("/out")));
                prop_assert_eq!(file.components().count(), 3);
                prop_assert!(!file.file_name().unwrap().as_encoded_bytes().starts_with(b"."));
            }
        }

        #[test]
        fn whatever_is_asked_is_answered(
            method in "(GET|HEAD|POST|[A-Z]{1,5})",
            target in "/(\\.\\./|[!-~]){0,12}",
            host in "(localhost|127\\.0\\.0\\.1:80|[!-~]{0,12})",
        ) {
            let request = Request::builder().method(method.as_str()).uri(target).header(HOST, host);
            if let Ok(request) = request.body(()) {
                let folder = tempfile::tempdir().unwrap();
                for token in [None, Some(Token::random().unwrap())] {
                    let site = Site { folder: folder.path().into(), token };
                    let status = answer(&request, &site).status();
                    prop_assert!(status.is_client_error(), "{}", status);
                }
            }
        }
    }

    #[test]
    fn a_path_begins_with_the_token() {
        let token = || Token("5ec2e7".to_owned());
        let site = Site { folder: "/out".into(), token: Some(token()) };
        for (path, rest) in [
            ("/5ec2e7/", Some("/")),
            ("/5ec2e7/a.html", Some("/a.html")),
            ("/5ec2e7//etc/passwd", Some("//etc/passwd")),
            ("/5ec2e7", None),
            ("/5ec2e", None),
            ("/5ec2e70/", None),
            ("//", None),
            ("/", None),
            ("", None),
            ("/a.html", None),
        ] {
            assert_eq!(site.strip_token(path), rest, "{path}");
        }
        assert_eq!(Site { token: None, ..site }.strip_token("/a.html"), Some("/a.html"));
        let random = || Token::random().unwrap().0;
        assert!(random().len() == 32 && random() != random());
    }

    #[test]
    fn other_names_of_this_machine_are_refused() {
        for (host, is_ours) in [
            ("localhost", true),
            ("localhost:8765", true),
            ("127.0.0.1:8765", true),
            ("[::1]:8765", true),
            ("localhost.evil.example", false),
            ("evil.example", false),
            ("192.168.0.1:80", false),
            ("0.0.0.0", false),
            ("", false),
        ] {
            assert_eq!(is_local(host), is_ours, "{host}");
        }
    }
}
