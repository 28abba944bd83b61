//! Expands `~` at the start of a path, as Python's `os.path.expanduser` does.

use std::fs;

/// Replaces a leading `~` or `~user` with the home folder, if it is known.
///
/// `~` is `$HOME`, or `%USERPROFILE%` on Windows. The home folder of another user is looked up in
/// `/etc/passwd`. If only a directory service knows the user, the path stays unchanged.
pub(super) fn expand_user(path: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (user, rest) = rest.split_at(rest.find(std::path::is_separator).unwrap_or(rest.len()));
    let home = if user.is_empty() { own_home(env) } else { home_of(user) };
    let Some(home) = home else { return path.to_owned() };
    match format!("{}{rest}", home.trim_end_matches('/')) {
        empty if empty.is_empty() => "/".to_owned(),
        expanded => expanded,
    }
}

fn own_home(env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    env(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
}

fn home_of(user: &str) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().map(|line| line.split(':')).find_map(|mut fields| {
        (fields.next()? == user).then(|| fields.nth(4).map(str::to_owned)).flatten()
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn homes() {
        let env = |name: &str| (name == "HOME").then(|| "/home/me/".to_owned());
        let cases = [
            ("~/src", "/home/me/src"),
            ("~", "/home/me"),
            ("a~/b", "a~/b"),
            ("~no-such-user/x", "~no-such-user/x"),
            ("~root/x", "/root/x"),
        ];
        for (path, expanded) in cases {
            assert_eq!(expand_user(path, &env), expanded);
        }
        assert_eq!(expand_user("~/x", &|_| None), "~/x");
        assert_eq!(expand_user("~", &|_| Some("/".to_owned())), "/");
    }
}
