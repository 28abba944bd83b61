//! The names of users.

use nix::unistd::{Uid, User};

/// Returns the user's name, or the number if the user has no name.
pub(super) fn user_name(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}
