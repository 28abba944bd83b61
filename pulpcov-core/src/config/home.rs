//! Expands `~` at the start of a path, as Python's `os.path.expanduser` does.

/// Replaces a leading `~` or `~user` with the home folder, if it is known.
///
/// `~` is `$HOME`, or `%USERPROFILE%` on Windows. Without `$HOME`, and for `~user`, the system's database of users has the
/// home folder. If it does not know the user, the path stays unchanged.
pub(super) fn expand_user(path: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (user, rest) = rest.split_at(rest.find(std::path::is_separator).unwrap_or(rest.len()));
    let home = match user {
        "" => own_home(env).or_else(system::own_home),
        user => system::home_of(user),
    };
    let Some(home) = home else { return path.to_owned() };
    match format!("{}{rest}", home.trim_end_matches('/')) {
        empty if empty.is_empty() => "/".to_owned(),
        expanded => expanded,
    }
}

fn own_home(env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    env(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
}

/// The system's database of users.
#[cfg(unix)]
mod system {
    use nix::unistd::{Uid, User};

    pub(super) fn own_home() -> Option<String> {
        home(User::from_uid(Uid::current()).ok()??)
    }

    pub(super) fn home_of(user: &str) -> Option<String> {
        home(User::from_name(user).ok()??)
    }

    fn home(user: User) -> Option<String> {
        user.dir.into_os_string().into_string().ok()
    }
}

/// Python looks up no users on Windows.
#[cfg(not(unix))]
mod system {
    pub(super) fn own_home() -> Option<String> {
        None
    }

    pub(super) fn home_of(_: &str) -> Option<String> {
        None
    }
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
        let own = nix::unistd::User::from_uid(nix::unistd::Uid::current()).unwrap().unwrap().dir;
        let own = own.display().to_string();
        assert_eq!(expand_user("~/x", &|_| None), format!("{}/x", own.trim_end_matches('/')));
        assert_eq!(expand_user("~", &|_| Some("/".to_owned())), "/");
    }
}
