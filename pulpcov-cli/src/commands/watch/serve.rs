//! The report over HTTP, for the browsers of this machine: read-only, one folder, no way out of it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;

use tiny_http::{Header, Method, Request, Response, Server};

use crate::exit::Failure;

/// Serve the folder from a thread, until the process ends. The address, with the port that was chosen for port 0.
pub(super) fn start(address: SocketAddr, folder: &Path) -> Result<SocketAddr, Failure> {
    let server = Server::http(address)
        .map_err(|err| Failure::Refused(format!("cannot serve at {address}: {err}")))?;
    let address = server.server_addr().to_ip().unwrap_or(address);
    let folder = folder.to_owned();
    thread::spawn(move || {
        for request in server.incoming_requests() {
            // A browser that goes away has its reasons.
            let _ = answer(request, &folder);
        }
    });
    Ok(address)
}

fn answer(request: Request, folder: &Path) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::empty(405));
    }
    if !is_for_this_machine(&request) {
        return request.respond(Response::empty(403));
    }
    let Some((file, kind)) = find(request.url(), folder).and_then(open) else {
        return request.respond(Response::empty(404));
    };
    let mut response = Response::from_file(file);
    for (name, value) in [
        ("Content-Type", kind),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    request.respond(response)
}

/// Another site's name may lead here too: then its pages could read the answer.
fn is_for_this_machine(request: &Request) -> bool {
    let host = request.headers().iter().find(|header| header.field.equiv("Host"));
    host.is_some_and(|host| {
        let host = host.value.as_str();
        host == "localhost"
            || host.strip_prefix("localhost:").is_some_and(|port| port.parse::<u16>().is_ok())
            || host.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// The file that is meant: of the folder itself, by a name as reports have them.
fn find(url: &str, folder: &Path) -> Option<PathBuf> {
    let name = url.split(['?', '#']).next()?.strip_prefix('/')?;
    let name = if name.is_empty() { "index.html" } else { name };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (!name.starts_with('.') && name.bytes().all(is_plain)).then(|| folder.join(name))
}

/// The open file and its type; links are not followed.
fn open(path: PathBuf) -> Option<(File, &'static str)> {
    let kind = match path.extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        _ => return None,
    };
    path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some((File::open(path).ok()?, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_of_the_folder_are_files() {
        let folder = Path::new("/out");
        for (url, file) in [
            ("/", Some("/out/index.html")),
            ("/a_py.html?1", Some("/out/a_py.html")),
            ("/../etc/passwd", None),
            ("/..", None),
            ("/.gitignore", None),
            ("/%2e%2e/x.html", None),
            ("/a/b.html", None),
            ("//etc/passwd", None),
            ("http://elsewhere/x.html", None),
            ("", None),
        ] {
            assert_eq!(find(url, folder), file.map(PathBuf::from), "{url}");
        }
    }
}
