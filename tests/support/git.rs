//! Git repositories in the folders of tests.

use std::path::Path;
use std::process::Command;

use super::{Dir, Ran, neutral};

impl Dir {
    /// Makes the folder a repository with the branch `main`, in which somebody may commit.
    pub(crate) fn init_git(&self) {
        self.git(&["init", "-q", "-b", "main"]);
        for (key, value) in [("user.name", "a"), ("user.email", "a@b"), ("commit.gpgsign", "false")]
        {
            self.git(&["config", key, value]);
        }
    }

    /// Runs git. It finds pulpcov as a merge driver as users have it: by its name.
    pub(crate) fn try_git(&self, args: &[&str]) -> Ran {
        let folder = Path::new(env!("CARGO_BIN_EXE_pulpcov")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let mut command = neutral(Command::new("git"));
        command.env("PATH", path).env("GIT_EDITOR", "true");
        Ran::from(command.current_dir(self.path("")).args(args).output().unwrap())
    }

    /// Runs git, which must succeed. Returns what it prints.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let ran = self.try_git(args);
        assert_eq!(ran.status, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Commits all files.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }
}
